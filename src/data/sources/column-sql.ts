/** Columns of texts as SQL of what they mean, told by the whole column. */

import { readNumber } from '../duckdb/typed-rows.ts';
import type { Findings } from '../findings.ts';
import { type TextCounts, understandLabels } from './label-column.ts';
import type { LoadedTable } from './text-table.ts';
import { isMissingSql } from './words.ts';

/**
 * SQL for whether a row is a click; NULL where its label says nothing.
 * @throws CourierError of understandLabels
 */
export async function labelSql(
  { connection, table, column }: LoadedTable,
  clicked: string,
  clickedValues: readonly string[] | undefined,
): Promise<string> {
  const text = column(clicked);
  const counted = await connection.runAndReadAll(
    `SELECT ${text}, count(*) FROM ${table} GROUP BY 1 ORDER BY min(rowid)`,
  );
  const counts: TextCounts = new Map(
    counted.getRows().map(([value, count]) => [value === null ? null : `${value}`, Number(count)]),
  );
  const labelOf = understandLabels(clicked, counts, clickedValues);
  const labels = [...counts.keys()].flatMap((value) => {
    const label = labelOf(value);
    return value === null || label === undefined ? [] : [{ value, label }];
  });
  const values = (wanted: boolean) =>
    labels.filter(({ label }) => label === wanted).map(({ value }) => `'${value.replaceAll("'", "''")}'`);
  const [clicks, others] = [values(true), values(false)];
  const among = (list: readonly string[]) =>
    list.length === 0 ? 'false' : `${text} IN (${list.join(', ')})`;
  return `CASE WHEN ${among(clicks)} THEN true WHEN ${among(others)} THEN false END`;
}

/** SQL for a finite number: NaN for an empty cell, NULL for something else. A comma is one of decimals where no number has a point. */
export async function numberSql(
  { connection, table, column }: LoadedTable,
  name: string,
  findings: Findings,
): Promise<string> {
  const text = column(name);
  const withCommas = await readNumber(
    connection,
    `SELECT CASE WHEN count(*) FILTER (contains(${text}, '.')) = 0 THEN count(*) FILTER (regexp_full_match(trim(${text}), '[+-]?\\d+,\\d+')) ELSE 0 END FROM ${table}`,
  );
  findings.add(`Numbers of ${name} with a comma before their decimals`, undefined, withCommas);
  const plain = withCommas > 0 ? `replace(${text}, ',', '.')` : text;
  const number = String.raw`[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?`;
  const value = `try_cast(${plain} AS DOUBLE)`;
  return `CASE WHEN ${isMissingSql(text)} THEN 'NaN'::DOUBLE
    WHEN regexp_full_match(trim(${plain}), '${number}') AND isfinite(${value}) THEN ${value} END`;
}
