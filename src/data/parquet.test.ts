import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { readParquet, writeParquet } from './parquet.ts';

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
    const table = await readParquet(path);
    expect(table.rowCount).toBe(rowCount);
    expect(table.numbers(columns[0].name)).toEqual([...columns[0].values]);
    expect(table.numbers('ratio')).toEqual([...columns[1].values]);
    expect(table.texts('text')).toEqual([...columns[2].values]);
  });

  it('have the same bytes for the same columns', async () => {
    const folder = await temporaryFolder();
    for (const name of ['one', 'two']) await writeParquet(join(folder, name), columns);
    expect(await readFile(join(folder, 'one'))).toEqual(await readFile(join(folder, 'two')));
  });

  it('say which column is missing, and which number', async () => {
    const path = join(await temporaryFolder(), 'table.parquet');
    await writeParquet(path, columns);
    const table = await readParquet(path);
    expect(() => table.numbers('gone')).toThrow(expect.objectContaining({ code: 'DATASET_INVALID' }));
    expect(() => table.numbers('text')).toThrow(/text of table.parquet holds something that is not a number/);
  });

  it('are recognised as damaged', async () => {
    const path = join(await temporaryFolder(), 'table.parquet');
    await writeFile(path, 'PAR1 and no more');
    await expect(readParquet(path)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  });
});
