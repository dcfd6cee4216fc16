import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { literal, withDuckDB } from './duckdb.ts';
import { writeParquet } from './parquet.ts';
import { readParquet } from './parquet-table.ts';

const rowCount = 5000;
const columns = [
  {
    name: 'a"; DROP TABLE written; --',
    type: 'INTEGER',
    values: Int32Array.from({ length: rowCount }, (_, i) => -i),
  },
  { name: 'ratio', type: 'FLOAT', values: Float32Array.from({ length: rowCount }, (_, i) => i / 7) },
  {
    name: 'text',
    type: 'VARCHAR',
    values: Array.from({ length: rowCount }, (_, i) => (i % 3 ? `ü'${i}` : null)),
  },
] as const;

describe('Parquet files', () => {
  it('give back what was written, in order, under any path and column name', async () => {
    const path = join(await temporaryFolder(), "it's [1]*?.parquet");
    await writeParquet(path, columns);
    await readParquet(path, async (table) => {
      expect(table.rowCount).toBe(rowCount);
      expect(await table.integers(columns[0].name)).toEqual(columns[0].values);
      expect(await table.floats('ratio')).toEqual(columns[1].values);
      expect(await table.texts('text')).toEqual(columns[2].values);
    });
  });

  it('keep the order of row groups that several threads read', async () => {
    const path = join(await temporaryFolder(), 'table.parquet');
    const values = Int32Array.from({ length: 300_000 }, (_, i) => i);
    await writeParquet(path, [{ name: 'row', type: 'INTEGER', values }]);
    const read = await readParquet(path, (table) => table.integers('row'));
    expect(read.length).toBe(values.length);
    expect(read.findIndex((value, row) => value !== row)).toBe(-1);
  });

  it('of no rows at all are read as such', async () => {
    const path = join(await temporaryFolder(), 'table.parquet');
    await writeParquet(path, [{ name: 'code', type: 'INTEGER', values: new Int32Array(0) }]);
    expect(await readParquet(path, (table) => table.integers('code'))).toEqual(new Int32Array(0));
  });

  it('have the same bytes for the same columns', async () => {
    const folder = await temporaryFolder();
    for (const name of ['one', 'two']) await writeParquet(join(folder, name), columns);
    expect(await readFile(join(folder, 'one'))).toEqual(await readFile(join(folder, 'two')));
  });

  it('keep a failure of the columns as their own, and leave no rows out', async () => {
    const path = join(await temporaryFolder(), 'table.parquet');
    const vectors = { length: 2, dimension: 2, at: (row: number) => new Float32Array(2 + row) };
    await expect(writeParquet(path, [{ name: 'vector', type: 'FLOAT[]', values: vectors }])).rejects.toThrow(
      'row 1 has 3 values, not 2',
    );
  });

  it.each([
    ['a column that is missing', 'gone', /gone of table.parquet is missing/],
    ['texts', 'text', /text of table.parquet holds VARCHAR instead of INTEGER/],
    ['numbers of another type', 'ratio', /ratio of table.parquet holds FLOAT instead of INTEGER/],
  ])('refuse %s instead of integers', async (_, name, message) => {
    const path = join(await temporaryFolder(), 'table.parquet');
    await writeParquet(path, columns);
    const integers = readParquet(path, (table) => table.integers(name));
    await expect(integers).rejects.toMatchObject({
      code: 'DATASET_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it.each([0, 4, 2100, 4999])('refuse a number that is missing in row %i', async (missing) => {
    const folder = await temporaryFolder();
    const path = join(folder, 'table.parquet');
    await withDuckDB([folder], async (connection) => {
      const rows = `SELECT nullif(range, ${missing})::INTEGER AS code FROM range(${rowCount})`;
      await connection.run(`COPY (${rows}) TO ${literal(path)} (FORMAT parquet)`);
    });
    await expect(readParquet(path, (table) => table.integers('code'))).rejects.toThrow(
      'code of table.parquet holds something that is not a number',
    );
  });

  it('are recognised as damaged', async () => {
    const path = join(await temporaryFolder(), 'table.parquet');
    await writeFile(path, 'PAR1 and no more');
    await expect(readParquet(path, async () => null)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  });

  it('are recognised as damaged where only values are', async () => {
    const path = join(await temporaryFolder(), 'table.parquet');
    await writeParquet(path, columns);
    const bytes = await readFile(path);
    await writeFile(path, bytes.fill(0x5a, 40, 2000));
    await expect(readParquet(path, (table) => table.integers(columns[0].name))).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
    });
  });
});
