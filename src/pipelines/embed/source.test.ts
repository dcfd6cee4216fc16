import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { Findings } from '../../data/findings.ts';
import { loadPhoto } from '../../data/photos/photo-file.ts';
import { folderSource } from './source.ts';

const side = 16;

describe('a folder of many photos', () => {
  it('is read in threads to what each photo gives by itself, but for pixels of which the hash is known', async () => {
    const [folder, elsewhere] = [join(await temporaryFolder(), 'photos'), await temporaryFolder()];
    await mkdir(folder);
    const paths = Array.from({ length: 140 }, (_, place) => join(folder, `${1000 + place}.jpg`));
    const colours = ['red', 'green', 'blue'];
    for (const [place, background] of colours.entries())
      await sharp({ create: { width: 20, height: 30, channels: 3, background } }).toFile(paths[place]!);
    for (const [place, path] of paths.entries()) {
      if (place === 100) await writeFile(path, 'no photo');
      else if (place === 101) await copyFile(paths[0]!, join(elsewhere, 'out.jpg'));
      else if (place > 2) await copyFile(paths[place % 3]!, path);
    }
    await symlink(join(elsewhere, 'out.jpg'), paths[101]!);
    const alone = await Promise.all(
      paths.map((path) => loadPhoto({ kind: 'file', path, below: folder }, side, () => false)),
    );
    const source = await folderSource(folder, side, new Findings());
    try {
      const items = [...paths.keys()];
      expect(await source.load(items, null)).toEqual(alone);
      expect(alone[100]).toMatchObject({ kind: 'failed' });
      expect(alone[101]).toEqual({
        kind: 'failed',
        problem: 'Photos that are links out of the folder, left out',
      });
      const red = alone[0]!.kind === 'pixels' ? alone[0]!.hash : '';
      const known = await source.load(items, (hash) => hash === red);
      const expected = alone.map((photo) =>
        photo.kind === 'pixels' && photo.hash === red ? { kind: 'known', hash: red } : photo,
      );
      expect(known).toEqual(expected);
    } finally {
      await source.close();
    }
  });
});
