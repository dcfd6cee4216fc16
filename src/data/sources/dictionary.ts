/** Texts of a column of a database table as codes, in the order in which they first appear. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { createTable } from '../duckdb/columns.ts';

/**
 * Makes the temporary table `name` (text, code) of the different texts of a column.
 * @param from what stands after FROM; it has row numbers, `row`
 * @param codeOf is asked once for each text, with the number of its rows
 */
export async function encodeTexts(
  connection: DuckDBConnection,
  name: string,
  column: string,
  from: string,
  codeOf: (text: string | null, rows: number) => number,
): Promise<void> {
  await connection.run(`CREATE TEMP TABLE ${name}_texts AS
    SELECT ${column} AS text, count(*) AS rows FROM ${from} GROUP BY 1 ORDER BY min(row)`);
  const result = await connection.stream(`SELECT text, CAST(rows AS DOUBLE) FROM ${name}_texts`);
  const codes: number[] = [];
  for await (const chunk of result) {
    const [texts = [], rows = []] = chunk.getColumns();
    for (const [place, text] of texts.entries())
      codes.push(codeOf(text === null ? null : String(text), Number(rows[place])));
  }
  await createTable(connection, `${name}_codes`, [
    { name: 'code', type: 'INTEGER', values: Int32Array.from(codes) },
  ]);
  await connection.run(
    `CREATE TEMP TABLE ${name} AS SELECT text, code FROM ${name}_texts POSITIONAL JOIN ${name}_codes`,
  );
  await connection.run(`DROP TABLE ${name}_texts; DROP TABLE ${name}_codes`);
}
