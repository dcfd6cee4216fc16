import { open, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { liesBelow, readInput } from './files.ts';

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

describe('a folder', () => {
  it('tells what lies in it from what a link brings in', async () => {
    const [root, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
    for (const folder of [root, elsewhere]) await writeFile(join(folder, 'a.jpg'), '');
    await symlink(join(elsewhere, 'a.jpg'), join(root, 'out.jpg'));
    await symlink(join(root, 'a.jpg'), join(root, 'in.jpg'));
    await symlink(elsewhere, join(root, 'folder.jpg'));
    const lies = ['a.jpg', 'in.jpg', 'out.jpg', 'folder.jpg'].map((name) =>
      liesBelow(root, join(root, name)),
    );
    expect(await Promise.all(lies)).toEqual([true, true, false, false]);
  });
});
