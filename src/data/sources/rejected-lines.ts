/** Lines of text files that are no rows, and their places among those that are. */
import { basename } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { CourierError } from '../../errors.ts';
import { lowerBound } from '../clicks.ts';
import { fileLiteral, literal } from '../duckdb/duckdb.ts';
import { readNumber } from '../duckdb/typed-rows.ts';
import { otherEncoding } from './text-files.ts';

/** A line that is no row of its table. */
export interface RejectedLine {
  /** Its place among the rows of the input, from 0: it counts as one, and blank lines do not. */
  readonly row: number;
  readonly problem: string;
  readonly text: string;
}

/** SQL of the lines of text files, with nothing understood of them; NULL for blank ones. */
export function linesOf(list: string): string {
  return `read_csv(${list}, columns = {'line': 'VARCHAR'}, delim = ${literal('\u0001')}, quote = '', escape = '', header = false, auto_detect = false, max_line_size = 16777216)`;
}

/** How tables in text files were read. */
export interface CsvFiles {
  readonly paths: readonly string[];
  /** Lines of each before its first row: the header, and what stands before it. */
  readonly before: number;
  /** The character around values that hold separators; empty for none. */
  readonly mark: string;
  /** SQL of the rows of some of them, without lines that are none. */
  rowsOf(list: string): string;
}

/**
 * The lines that DuckDB rejected in the scan before, in their order.
 * @throws CourierError FILE_UNREADABLE where bytes are no text in UTF-8, or where blank lines and stray marks leave open which row is which
 */
export async function rejectedOfCsv(
  connection: DuckDBConnection,
  { paths, before, mark, rowsOf }: CsvFiles,
): Promise<readonly RejectedLine[]> {
  const found = await connection.runAndReadAll(`
    SELECT file_path, line, lower(min(CAST(error_type AS VARCHAR))), min(csv_line)
    FROM reject_errors JOIN reject_scans USING (scan_id, file_id) GROUP BY 1, 2 ORDER BY 2`);
  const lines = found.getRows();
  if (lines.length === 0) return [];
  for (const [path, line, problem] of lines)
    if (/encoding/.test(`${problem}`)) throw undecodable(`Line ${line} of ${basename(`${path}`)}`);
  const rejected: RejectedLine[] = [];
  let earlier = 0;
  for (const [place, path] of paths.entries()) {
    const own = lines.filter(([file]) => file === path);
    const list = `[${fileLiteral(path)}]`;
    const count = async () =>
      own.length + (await readNumber(connection, `SELECT count(*) FROM ${rowsOf(list)}`));
    const blank = own.length === 0 ? [] : await blankLines(connection, path, mark, before, count);
    for (const [, line, problem, text] of own) {
      // The first line has the number 1, and a row over several lines is one.
      const number = Number(line) - lowerBound((at) => blank[at]!, Number(line), 0, blank.length);
      rejected.push({ row: earlier + number - 1 - before, problem: `${problem}`, text: `${text}`.trim() });
    }
    if (place < paths.length - 1) earlier += await count();
  }
  return rejected;
}

/** The numbers of blank lines of a file, ascending, as DuckDB counts lines: one within marks is no line. */
async function blankLines(
  connection: DuckDBConnection,
  path: string,
  mark: string,
  before: number,
  count: () => Promise<number>,
): Promise<readonly number[]> {
  const lines = linesOf(`[${fileLiteral(path)}]`);
  if ((await readNumber(connection, `SELECT count(*) FROM ${lines} WHERE line IS NULL`)) === 0) return [];
  const marks = mark === '' ? '0' : `length(line) - length(replace(line, ${literal(mark)}, ''))`;
  // A line begins where the marks before it are closed.
  await connection.run(`CREATE OR REPLACE TEMP TABLE line_starts AS
    SELECT row_number() OVER (ORDER BY place) AS number, is_blank FROM (
      SELECT place, line IS NULL AS is_blank, coalesce(sum(marks) OVER (ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) % 2 = 0 AS is_start
      FROM (SELECT row_number() OVER () AS place, line, coalesce(${marks}, 0) AS marks FROM ${lines}))
    WHERE is_start`);
  const written = await readNumber(connection, 'SELECT count(*) FROM line_starts WHERE NOT is_blank');
  if (written !== before + (await count())) throw unnumbered(path);
  const found = await connection.runAndReadAll('SELECT number FROM line_starts WHERE is_blank ORDER BY 1');
  return found.getRows().map(([number]) => Number(number));
}

function undecodable(where: string): CourierError {
  return new CourierError('FILE_UNREADABLE', `${where} is not in UTF-8.`, otherEncoding);
}

function unnumbered(path: string): CourierError {
  return new CourierError(
    'FILE_UNREADABLE',
    `${path} has lines that are no rows, blank lines, and quotation marks that are not closed: which row is which cannot be told.`,
    'Remove the blank lines, or turn quoting off with `quote`.',
  );
}

/** SQL of lines of JSON that are not blank, with their place among those, from 0, and the line as JSON where it is valid. */
export function jsonLinesOf(list: string): string {
  // DuckDB may look into a line before it has asked whether it is valid: only valid ones are there to be looked into.
  return `(SELECT row_number() OVER () - 1 AS place, line, CASE WHEN json_valid(line) THEN line END AS json
    FROM (SELECT line FROM ${linesOf(list)} WHERE trim(line) <> ''))`;
}

/** Of `jsonLinesOf` those that are no objects, in their order. */
export async function rejectedOfJson(
  connection: DuckDBConnection,
  lines: string,
): Promise<readonly RejectedLine[]> {
  const found = await connection.runAndReadAll(`
    SELECT place, line FROM ${lines} WHERE json_type(json) IS DISTINCT FROM 'OBJECT' ORDER BY place`);
  return found
    .getRows()
    .map(([place, line]) => ({ row: Number(place), problem: 'it is not valid JSON', text: `${line}` }));
}
