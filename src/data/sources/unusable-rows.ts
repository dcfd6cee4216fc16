/** Rows of a table that cannot be used, by what is wrong with them. */
import type { BadRows } from '../findings.ts';
import type { LoadedTable } from './text-table.ts';
import { isMissingSql } from './words.ts';

/** A reason for which a row cannot be used: SQL that is true for it, and the column to show. */
export interface Problem {
  readonly condition: string;
  readonly reason: string;
  readonly name: string;
}

/** That a column has no value. */
export function emptyIn(name: string, column: (name: string) => string): Problem {
  return { condition: isMissingSql(column(name)), reason: `empty ${name}`, name };
}

/** SQL of the place of the first problem that a row has, in the order in which it is looked at; NULL for none. */
export function problemSql(problems: readonly Problem[]): string {
  return `CASE ${problems.map(({ condition }, place) => `WHEN ${condition} THEN ${place}`).join(' ')} END`;
}

/** Counts the rows of the table `parsed` that have a `problem`, with examples; `row` is their place in the loaded table. */
export async function skipUnusable(
  { connection, table, row: rowOf, column }: LoadedTable,
  problems: readonly Problem[],
  badRows: BadRows,
): Promise<void> {
  const met = await connection.runAndReadAll(
    'SELECT problem, count(*) FROM parsed WHERE problem IS NOT NULL GROUP BY 1 ORDER BY 1',
  );
  for (const [place, count] of met.getRows()) {
    const { reason, name } = problems[Number(place)]!;
    const examples = await connection.runAndReadAll(`SELECT row + 1, ${column(name)}
      FROM parsed JOIN ${table} ON row = ${table}.${rowOf} WHERE problem = ${place} ORDER BY row LIMIT 5`);
    badRows.skipAll(
      reason,
      Number(count),
      examples
        .getRows()
        .map(([row, value]) => ({ row: Number(row), value: value === null ? null : `${value}` })),
    );
  }
}
