import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { ImageCache } from './image-cache.ts';

async function threePhotos(): Promise<string> {
  const path = join(await temporaryFolder(), 'images.bin');
  await writeFile(
    path,
    Uint8Array.from({ length: 3 * 2 * 2 * 3 }, (_, index) => index),
  );
  return path;
}

describe('the image cache', () => {
  it('reads rows in the order asked for, repeated ones too', async () => {
    const cache = ImageCache.open(await threePhotos(), 2, 3);
    const photo = (row: number): number[] => Array.from({ length: 12 }, (_, index) => row * 12 + index);
    expect([...cache.read([2, 0, 2])]).toEqual([...photo(2), ...photo(0), ...photo(2)]);
    expect(cache.read(Int32Array.of())).toHaveLength(0);
    cache.close();
  });

  it('leaves black what there is room for beyond the rows', async () => {
    const cache = ImageCache.open(await threePhotos(), 2, 3);
    expect([...cache.read([1], 3)]).toEqual([...cache.read([1]), ...new Uint8Array(24)]);
    cache.close();
  });

  it('refuses rows that do not exist', async () => {
    const cache = ImageCache.open(await threePhotos(), 2, 3);
    for (const row of [-1, 3, 0.5, Number.NaN]) expect(() => cache.read([row])).toThrow(RangeError);
    cache.close();
    cache.close();
    expect(() => cache.read([0])).toThrow(/closed/);
  });

  it('finds a file that is too short or missing when it is opened', async () => {
    const path = await threePhotos();
    expect(() => ImageCache.open(path, 2, 4)).toThrow(expect.objectContaining({ code: 'FILE_CORRUPT' }));
    expect(() => ImageCache.open(`${path}x`, 2, 3)).toThrow(
      expect.objectContaining({ code: 'FILE_NOT_FOUND' }),
    );
  });
});
