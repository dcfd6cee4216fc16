import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { Findings } from '../findings.ts';
import { photosBelow } from './photo-folder.ts';

describe('a folder of photos', () => {
  it('names items by their place, in the order of the names, and tells what it leaves out', async () => {
    const root = await temporaryFolder();
    await mkdir(join(root, 'shoes', 'red.v2'), { recursive: true });
    const names = ['b.JPG', 'a.png', 'a.jpg', 'shoes/1.webp', 'shoes/red.v2/x.y.gif', 'notes.txt'];
    for (const name of names) await writeFile(join(root, name), '');
    const findings = new Findings();
    const photos = await photosBelow(root, findings);
    expect(photos.map(({ id, name }) => [id, name])).toEqual([
      ['a', 'a.jpg'],
      ['b', 'b.JPG'],
      ['shoes/1', 'shoes/1.webp'],
      ['shoes/red.v2/x.y', 'shoes/red.v2/x.y.gif'],
    ]);
    expect(findings.list()).toEqual([
      { what: 'Photos of an item that has another, left out', count: 1, examples: ['a.png'] },
      { what: 'Files that are no photos, left out', count: 1, examples: ['notes.txt'] },
    ]);
  });
});
