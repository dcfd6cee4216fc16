import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { literal, withDuckDB } from './duckdb.ts';
import { readEmbeddings } from './embeddings.ts';

/** Reads what a query gives, as a Parquet file of somebody else. */
async function readOf(query: string) {
  const folder = await temporaryFolder();
  const path = join(folder, 'theirs.parquet');
  await withDuckDB([folder], (connection) =>
    connection.run(`COPY (${query}) TO ${literal(path)} (FORMAT parquet)`),
  );
  return readEmbeddings(path);
}

const expected = { ids: ['7', '8'], dimension: 2, vectors: Float32Array.of(1, 0, 0.5, 0.25) };

describe('embeddings of others', () => {
  it.each([
    ['other names', "'7' AS sku, [1.0, 0.0]::FLOAT[] AS vec UNION ALL SELECT '8', [0.5, 0.25]"],
    ['whole numbers as ids', '7 AS item, [1.0, 0.0]::FLOAT[] AS embedding UNION ALL SELECT 8, [0.5, 0.25]'],
    ['ids with decimals', '7.0::DOUBLE AS id, [1.0, 0.0]::FLOAT[] AS e UNION ALL SELECT 8.0, [0.5, 0.25]'],
    ['double precision', "'7' AS id, [1.0, 0.0]::DOUBLE[] AS e UNION ALL SELECT '8', [0.5, 0.25]"],
    ['a fixed length', "'7' AS id, [1.0, 0.0]::FLOAT[2] AS e UNION ALL SELECT '8', [0.5, 0.25]::FLOAT[2]"],
    [
      'other columns',
      "3 AS price, '7' AS item_id, now() AS at, [1.0, 0.0] AS emb, [9] AS tags UNION ALL SELECT 4, '8', now(), [0.5, 0.25], [9]",
    ],
    ['a column for each value', "0.0 AS emb_1, 1.0 AS emb_0, '7' AS id UNION ALL SELECT 0.25, 0.5, '8'"],
  ])('with %s are read', async (_, query) => {
    expect(await readOf(`SELECT ${query}`)).toEqual(expected);
  });

  it('are read from CSV', async () => {
    const path = join(await temporaryFolder(), 'clip.csv');
    await writeFile(path, '0,1,item_id\n1,0,7\n0.5,0.25,8\n');
    expect(await readEmbeddings(path)).toEqual(expected);
  });

  it('whose columns are not plain are refused, with those that there are', async () => {
    await expect(readOf("SELECT 'a' AS x, 'b' AS y, [1.0, 0.0] AS emb")).rejects.toMatchObject({
      code: 'VALUE_INVALID',
      message: expect.stringMatching(/which column holds the ids is not plain; it has `x` \(VARCHAR\)/),
    });
    await expect(readOf("SELECT 'a' AS id, 3 AS price")).rejects.toThrowError(
      /which column holds the vectors/,
    );
    const path = join(await temporaryFolder(), 'vectors.npy');
    await writeFile(path, 'x');
    await expect(readEmbeddings(path)).rejects.toThrowError(/an npy file holds no ids/);
  });
});
