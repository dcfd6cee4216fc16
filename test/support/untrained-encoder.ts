/** An encoder that has learned nothing, for tests that only need one. */
import { writeFile } from 'node:fs/promises';
import { exportUntrainedEncoder } from '../../src/encoders/export.ts';
import { createEncoder } from '../../src/encoders/index.ts';
import { Random } from '../../src/random.ts';

/** @param side of the photos that it takes, in pixels */
export async function writeUntrainedEncoder(path: string, side: number, seed = 1): Promise<string> {
  const config = { side, patch: 4, width: 16, depth: 1, heads: 2, mlpRatio: 2, dimension: 8 } as const;
  const encoder = createEncoder({ ...config, name: 'vit', head: 'mean' });
  await writeFile(
    path,
    exportUntrainedEncoder(encoder, Random.seeded(seed, 'parameters')).encode('standard'),
  );
  return path;
}
