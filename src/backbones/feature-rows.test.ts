import { createHash } from 'node:crypto';
import { appendFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { Random } from '../random.ts';
import { FeatureRows } from './feature-rows.ts';

const width = 5;
const hashOf = (photo: number) => createHash('sha256').update(`${photo}`).digest('hex');

function featuresOf(photos: readonly number[]): Float32Array {
  return Float32Array.from(
    photos.flatMap((photo) => {
      const random = Random.seeded(photo, 'features');
      return Array.from({ length: width }, () => 10 * random.normal());
    }),
  );
}

async function add(path: string, photos: readonly number[]): Promise<void> {
  const rows = await FeatureRows.open(path, width);
  await rows.add(photos.map(hashOf), featuresOf(photos));
  await rows.close();
}

it('features come back by the hash of their photo, as near as 16 bits are, over several runs', async () => {
  const path = join(await temporaryFolder(), 'below', 'features.f16');
  await add(path, [3, 1, 4]);
  await add(path, [15, 9]);
  const rows = await FeatureRows.open(path, width);
  expect(rows.count).toBe(5);
  expect([4, 9, 2].map((photo) => rows.has(hashOf(photo)))).toEqual([true, true, false]);
  const wanted = [9, 3, 9, 4];
  const [found, exact] = [await rows.read(wanted.map(hashOf)), featuresOf(wanted)];
  for (const [at, value] of found.entries())
    expect(Math.abs(value - exact[at]!)).toBeLessThanOrEqual(Math.abs(exact[at]!) * 2 ** -11);
  await expect(rows.read([hashOf(2)])).rejects.toThrow('no features');
  await expect(rows.add([hashOf(7)], new Float32Array(width).fill(1e6))).rejects.toMatchObject({
    code: 'VALUE_INVALID',
  });
  expect(rows.has(hashOf(7))).toBe(false);
  await rows.close();
});

it.each(['rows', 'hashes'])(
  'what a killed run wrote of %s alone is cut off, and written again',
  async (file) => {
    const path = join(await temporaryFolder(), 'features.f16');
    await add(path, [1, 2, 3]);
    if (file === 'rows') {
      await appendFile(path, new Uint8Array(2 * width + 3));
      await truncate(`${path}.hashes`, 2 * 32 + 7);
    } else {
      await truncate(path, 2 * 2 * width + 1);
    }
    const rows = await FeatureRows.open(path, width);
    expect([1, 2, 3].map((photo) => rows.has(hashOf(photo)))).toEqual([true, true, false]);
    await rows.add([hashOf(3)], featuresOf([3]));
    const found = await rows.read([3, 1].map(hashOf));
    await rows.close();
    for (const [at, value] of featuresOf([3, 1]).entries()) expect(found[at]).toBeCloseTo(value, 1);
    expect((await stat(path)).size).toBe(3 * 2 * width);
  },
);
