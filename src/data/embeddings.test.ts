import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import {
  readEmbeddings,
  readTracedEmbeddings,
  writeEmbeddings,
  writeTracedEmbeddings,
} from './embeddings.ts';

const stored = { ids: ["it's", 'b'], dimension: 2, vectors: Float32Array.of(0, 1, 0.6, -0.8) };
const traced = {
  ...stored,
  hashes: ['00', 'ff'],
  origin: { encoder: 'abc', precision: 'float32', model: 'abc' },
};

describe('embeddings on disk', () => {
  it('come back with their hashes and their origin', async () => {
    const path = join(await temporaryFolder(), 'e.parquet');
    await writeTracedEmbeddings(path, traced);
    expect(await readTracedEmbeddings(path)).toEqual(traced);
    expect(await readEmbeddings(path)).toEqual(stored);
  });

  it('of two columns are read as before, and have no origin', async () => {
    const path = join(await temporaryFolder(), 'e.parquet');
    await writeEmbeddings(path, stored);
    expect(await readEmbeddings(path)).toEqual(stored);
    expect(await readTracedEmbeddings(path)).toBeNull();
  });
});
