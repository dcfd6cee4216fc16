import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { safeTensorsFile } from '../../../test/support/safetensors-file.ts';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { literal, withDuckDB } from '../duckdb/duckdb.ts';
import { hashEmbeddings, readEmbeddings } from './embeddings.ts';

/** What a query gives, as a Parquet file of somebody else. */
async function fileOf(query: string): Promise<string> {
  const folder = await temporaryFolder();
  const path = join(folder, 'theirs.parquet');
  await withDuckDB([folder], (connection) =>
    connection.run(`COPY (${query}) TO ${literal(path)} (FORMAT parquet)`),
  );
  return path;
}

async function readOf(query: string) {
  return readEmbeddings(await fileOf(query));
}

type TensorOf = readonly [dtype: string, shape: readonly number[], data: ArrayBufferView];

/** A safetensors file of somebody else. */
async function tensors(named: Readonly<Record<string, TensorOf>>): Promise<string> {
  const path = join(await temporaryFolder(), 'theirs.safetensors');
  let end = 0;
  const header = Object.entries(named).map(([name, [dtype, shape, { byteLength }]]) => {
    const start = end;
    end += byteLength;
    return [name, { dtype, shape, data_offsets: [start, end] }];
  });
  const values = Object.values(named).map(([, , { buffer, byteOffset, byteLength }]) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  await writeFile(path, safeTensorsFile(Object.fromEntries(header), Buffer.concat(values)));
  return path;
}

const itemIds: TensorOf = ['I64', [2], BigInt64Array.of(7n, 8n)];
const floats: TensorOf = ['F32', [2, 2], expectedVectors()];

function expectedVectors(): Float32Array {
  return Float32Array.of(1, 0, 0.5, 0.25);
}

const expected = { ids: ['7', '8'], dimension: 2, vectors: expectedVectors() };

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

  const twoOfEach =
    "SELECT '7' AS sku, 'x' AS shop, [1.0, 0.0] AS emb, [0.0, 1.0] AS emb_old UNION ALL SELECT '8', 'x', [0.5, 0.25], [1.0, 1.0]";

  it('whose columns are not plain are read where they are named', async () => {
    const path = await fileOf(twoOfEach);
    await expect(readEmbeddings(path)).rejects.toMatchObject({
      message: expect.stringContaining('which column holds the vectors is not plain; it has `sku` (VARCHAR)'),
      remedy: expect.stringContaining('theirs.parquet#id=COLUMN&vector=COLUMN'),
    });
    expect(await readEmbeddings(`${path}#vector=emb&id=sku`)).toEqual(expected);
    expect(await readEmbeddings(`${path}#vector=emb_old&id=sku`)).not.toEqual(expected);
    expect(await hashEmbeddings(`${path}#vector=emb`)).not.toBe(
      await hashEmbeddings(`${path}#vector=emb_old`),
    );
  });

  it('of columns that are not there, or hold something else, are refused with those that there are', async () => {
    const path = await fileOf(twoOfEach);
    for (const [chosen, message] of [
      ['id=shop_id&vector=emb', /`shop_id` is not there to hold ids; it has `sku`/],
      ['id=sku&vector=shop', /`shop` does not hold vectors; it has `sku`/],
      ['id=sku&id=shop', /names two columns as id/],
    ] as const)
      await expect(readEmbeddings(`${path}#${chosen}`)).rejects.toMatchObject({
        code: 'VALUE_INVALID',
        message: expect.stringMatching(message),
      });
  });

  it('with a column for each value are read by what their names begin with', async () => {
    const path = await fileOf(
      "SELECT '7' AS id, 9.0 AS a0, 9.0 AS a1, 9.0 AS a2, 1.0 AS b0, 0.0 AS b1 UNION ALL SELECT '8', 9, 9, 9, 0.5, 0.25",
    );
    expect(await readEmbeddings(`${path}#vector=b`)).toEqual(expected);
  });

  it('in a file whose name has a # of its own are found', async () => {
    const path = join(await temporaryFolder(), 'clip#2.csv');
    await writeFile(path, '0,1,item_id\n1,0,7\n0.5,0.25,8\n');
    expect(await readEmbeddings(path)).toEqual(expected);
  });

  it.each([
    ['F32', expectedVectors()],
    ['F64', Float64Array.of(1, 0, 0.5, 0.25)],
    ['F16', Uint16Array.of(0x3c00, 0, 0x3800, 0x3400)],
    ['BF16', Uint16Array.of(0x3f80, 0, 0x3f00, 0x3e80)],
  ] as const)(
    'are read from safetensors of %s, with a tensor of ids or a file of them',
    async (dtype, data) => {
      const emb: TensorOf = [dtype, [2, 2], data];
      expect(await readEmbeddings(await tensors({ emb, item_id: itemIds }))).toEqual(expected);
      const path = await tensors({ emb });
      const beside = `${path}.csv`;
      await writeFile(beside, 'sku,name\n7,a\n8,b\n');
      expect(await readEmbeddings(`${path}:${beside}`)).toEqual(expected);
      expect(await readEmbeddings(`${path}:${beside}#id=sku&vector=emb`)).toEqual(expected);
    },
  );

  it('are read from safetensors of bytes', async () => {
    const path = await tensors({ ids: itemIds, x: ['I8', [2, 2], Int8Array.of(127, 0, -128, 64)] });
    expect((await readEmbeddings(path)).vectors).toEqual(Float32Array.of(127, 0, -128, 64));
  });

  it('in safetensors of several matrices are read by their names', async () => {
    const other: TensorOf = ['F32', [2, 2], new Float32Array(4)];
    const path = await tensors({ a: other, b: floats, of: itemIds });
    await expect(readEmbeddings(path)).rejects.toThrow(
      'it has `a` (F32 [2, 2]), `b` (F32 [2, 2]), `of` (I64 [2])',
    );
    expect(await readEmbeddings(`${path}#vector=b`)).toEqual(expected);
  });

  it.each([
    ['without ids', { emb: floats }, 'VALUE_INVALID', 'no tensor of whole numbers'],
    [
      'with an id too few',
      { emb: floats, id: ['I64', [1], BigInt64Array.of(7n)] },
      'VALUE_INVALID',
      '2 rows and',
    ],
    [
      'of an unknown dtype',
      { emb: ['F8_E4M3', [2, 2], new Uint8Array(4)], id: itemIds },
      'VALUE_INVALID',
      'F8_E4M3',
    ],
    [
      'without values',
      { emb: ['F32', [0, 2], new Float32Array(0)], id: ['I64', [0], new BigInt64Array(0)] },
      'VALUE_INVALID',
      'no embedding',
    ],
    ['without a matrix', { id: itemIds }, 'VALUE_INVALID', 'which column holds the vectors'],
    [
      'that claim more than there is',
      { emb: ['F32', [2, 2 ** 40], expectedVectors()] },
      'FILE_CORRUPT',
      'damaged',
    ],
  ] as const)('in safetensors %s are refused', async (_, named, code, message) => {
    await expect(readEmbeddings(await tensors(named))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });
});
