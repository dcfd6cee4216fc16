import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { literal, withDuckDB } from '../duckdb/duckdb.ts';
import { readParquetMetadata } from '../duckdb/parquet-table.ts';
import {
  readEmbeddings,
  readHashedEmbeddings,
  readOrigin,
  vectorsOf,
  writeEmbeddings,
  writeTracedEmbeddings,
} from './embeddings.ts';
import { digestsOf } from './hashed-vectors.ts';
import { readProvenance } from './provenance.ts';

const stored = { ids: ["it's", 'b'], dimension: 2, vectors: Float32Array.of(0, 1, 0.6, -0.8) };
const traced = {
  ids: stored.ids,
  vectors: vectorsOf(stored),
  hashes: ['0'.repeat(64), 'ff'.repeat(32)],
  provenance: {
    origin: { encoder: 'abc', precision: 'float32', model: 'abc' },
    learnedUntil: 1_700_000_000_000,
    photosOf: { dataset: 'shop', side: 16, kept: 'pixels' as const },
  },
};

/** A file of embeddings that another program could have written. */
async function foreign(rows: string): Promise<string> {
  const folder = await temporaryFolder();
  const path = join(folder, 'e.parquet');
  await withDuckDB([folder], async (connection) => {
    await connection.run(`COPY (SELECT * FROM (VALUES ${rows}) t(item_id, embedding)) TO ${literal(path)}`);
  });
  return path;
}

describe('embeddings on disk', () => {
  it('come back with their hashes and where they come from', async () => {
    const path = join(await temporaryFolder(), 'e.parquet');
    await writeTracedEmbeddings(path, traced);
    expect(await readEmbeddings(path)).toEqual(stored);
    const digests = digestsOf(traced.hashes);
    expect(await readHashedEmbeddings(path)).toEqual({ digests, vectors: stored.vectors });
    expect(await readOrigin(path)).toEqual(traced.provenance.origin);
    expect(await readProvenance(path)).toEqual(traced.provenance);
  });

  it('tell readers that know Arrow how long their vectors are', async () => {
    const path = join(await temporaryFolder(), 'e.parquet');
    await writeTracedEmbeddings(path, traced);
    const bytes = Buffer.from((await readParquetMetadata(path)).get('ARROW:schema') ?? '', 'base64');
    const names = ['item_id', 'embedding', 'element', 'image_hash'];
    expect(names.filter((name) => bytes.includes(name))).toEqual(names);
    expect(bytes.readInt32LE(164)).toBe(stored.dimension);
  });

  it('of two columns are read as before, and have no origin', async () => {
    const path = join(await temporaryFolder(), 'e.parquet');
    await writeEmbeddings(path, stored);
    expect(await readEmbeddings(path)).toEqual(stored);
    expect(await readOrigin(path)).toBeNull();
    await expect(readHashedEmbeddings(path)).rejects.toMatchObject({ code: 'DATASET_INVALID' });
  });

  it.each(['DOUBLE', 'TINYINT', 'FLOAT'])('are read from lists of %s', async (type) => {
    const path = await foreign(`('a', [1, 0]::${type}[]), ('b', [0, -1]::${type}[])`);
    const vectors = Float32Array.of(1, 0, 0, -1);
    expect(await readEmbeddings(path)).toEqual({ ids: ['a', 'b'], dimension: 2, vectors });
  });

  it('keep a value that is no number of float32, which those who use them refuse', async () => {
    const { vectors } = await readEmbeddings(await foreign(`('a', ['NaN'::FLOAT, 'inf'::FLOAT])`));
    expect([...vectors]).toEqual([Number.NaN, Number.POSITIVE_INFINITY]);
  });

  it.each([
    [
      'of unequal lengths',
      `('a', [1::FLOAT, 0]), ('b', [1])`,
      'VALUE_INVALID',
      'item b has 1 values, others 2',
    ],
    ['without a value', `('a', []::FLOAT[])`, 'VALUE_INVALID', 'it holds no embedding'],
    [
      'of which one is missing',
      `('a', [1::FLOAT]), ('b', NULL)`,
      'DATASET_INVALID',
      'has rows without a list',
    ],
    ['of which the first is missing', `('a', NULL::FLOAT[])`, 'DATASET_INVALID', 'has rows without a list'],
    ['with a value missing', `('a', [1::FLOAT, NULL])`, 'DATASET_INVALID', 'not a number'],
    ['of texts', `('a', ['x'])`, 'DATASET_INVALID', 'not a number'],
    ['that are no lists', `('a', 1)`, 'VALUE_INVALID', 'which column holds the vectors is not plain'],
    ['of an item without an id', `(NULL::VARCHAR, [1::FLOAT])`, 'VALUE_INVALID', 'item_id is missing'],
  ])('are refused %s', async (_, rows, code, message) => {
    await expect(readEmbeddings(await foreign(rows))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  it('stay in order over many chunks, each row as it is asked for', async () => {
    const [count, dimension] = [5000, 3];
    const path = join(await temporaryFolder(), 'e.parquet');
    const row = new Float32Array(dimension);
    const ids = Array.from({ length: count }, (_, index) => `${index}`);
    const vectors = { length: count, dimension, at: (index: number) => row.fill(index) };
    await writeTracedEmbeddings(path, { ids, hashes: ids, vectors, provenance: traced.provenance });
    const read = await readEmbeddings(path);
    expect(read.ids).toEqual(ids);
    expect(read.vectors).toEqual(
      Float32Array.from({ length: count * dimension }, (_, i) => Math.floor(i / 3)),
    );
  });
});
