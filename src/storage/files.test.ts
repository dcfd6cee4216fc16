import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { readInput } from './files.ts';

describe('an input that is read in one piece', () => {
  it('is refused by name when it is larger than Node reads', async () => {
    const path = join(await temporaryFolder(), 'large');
    const file = await open(path, 'w');
    // A hole, which takes no room on the disk.
    await file.truncate(2 ** 31);
    await file.close();
    await expect(readInput(path, 'Encoder')).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringMatching(/^Encoder cannot be read: .*large .*greater than 2 GiB/),
    });
  });
});
