/** Tables of any format as columns of text: each a column of the input, or an SQL expression over its columns. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { CourierError, messageOf } from '../../errors.ts';
import { shellWord } from '../../text.ts';
import { createTable } from '../duckdb/columns.ts';
import { describeSelect, identifier, type SqlColumn } from '../duckdb/duckdb.ts';
import { readNumber } from '../duckdb/typed-rows.ts';
import type { BadRows, Findings } from '../findings.ts';
import { inputName } from './input-files.ts';
import type { RejectedLine } from './rejected-lines.ts';
import { type Relation, type RelationOptions, withRelation } from './relation.ts';

export interface TextTable {
  /** Rows of the input, those that could not be read included. */
  readonly total: number;
  /** Number of each row in the input, the first after the header being 1. */
  readonly row: readonly number[];
  /** Whether all its values are those of an earlier row. */
  readonly duplicate: readonly boolean[];
  /** Each column or expression that was asked for; null where there is nothing. */
  readonly columns: ReadonlyMap<string, readonly (string | null)[]>;
}

export interface Reading extends RelationOptions {
  readonly badRows: BadRows;
  readonly findings: Findings;
  /** Rows that are read at most; all without it. */
  readonly limit?: number | undefined;
}

/** An input whose columns lie as texts in a table of a database, in the order of the input. */
export interface LoadedTable {
  readonly connection: DuckDBConnection;
  /** Its name. */
  readonly table: string;
  /** The column of the place of each row in the input, from 0: lines that are no rows count as some. */
  readonly row: string;
  /** Rows of the input, those that could not be read included. */
  readonly total: number;
  /** Names of all columns of the input. */
  readonly names: readonly string[];
  /** SQL of a column or expression that was asked for. */
  column(name: string): string;
}

/**
 * Reads some columns, or expressions over them, into a table. Lines that are no rows of the table are reported and skipped.
 * @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE, COLUMN_MISSING, LOG_EMPTY for a file of no bytes, and CONFIG_INVALID
 */
export async function withLoadedTable<T>(
  input: string,
  names: readonly string[],
  reading: Reading,
  task: (loaded: LoadedTable) => Promise<T>,
): Promise<T> {
  const wanted = [...new Set(names)];
  const { signal, badRows, findings, limit } = reading;
  const file = inputName(input);
  return withRelation(input, reading, async (connection, relation) => {
    const shape = await describeSelect(connection, relation.sql);
    const texts = [];
    for (const name of wanted) texts.push(await textOf(connection, name, shape, relation, input, reading));
    signal?.throwIfAborted();
    await connection.run(`CREATE TEMP TABLE loaded AS SELECT ${texts.map((text, index) => `${text} AS c${index}`).join(', ')}
      FROM ${relation.sql}${limit === undefined ? '' : ` LIMIT ${limit}`}`);
    signal?.throwIfAborted();
    const rejected = await relation.rejected();
    skip(rejected, badRows);
    const row = rejected.length === 0 ? 'rowid' : await numberRows(connection, rejected);
    const rows = await readNumber(connection, 'SELECT count(*) FROM loaded');
    if (relation.format === 'csv') await findSwallowed(connection, row, wanted.length, findings, file);
    return task({
      connection,
      table: 'loaded',
      row,
      total: rows + rejected.length,
      names: shape.map(({ name }) => name),
      column(name) {
        const place = wanted.indexOf(name);
        if (place === -1) throw new Error(`${name} was not asked for`);
        return `c${place}`;
      },
    });
  });
}

/**
 * The same as texts in memory, for tables of which there is one row an item.
 * @throws CourierError of withLoadedTable
 */
export async function readTextTable(
  input: string,
  names: readonly string[],
  reading: Reading,
): Promise<TextTable> {
  return withLoadedTable(input, names, reading, (loaded) =>
    collect(loaded, [...new Set(names)], reading.signal),
  );
}

/** The SQL of a column, or of an expression, as text. @throws CourierError COLUMN_MISSING */
async function textOf(
  connection: DuckDBConnection,
  wanted: string,
  columns: readonly SqlColumn[],
  relation: Relation,
  input: string,
  { what }: Pick<Reading, 'what'>,
): Promise<string> {
  const own = columnNamed(columns, wanted);
  if (own !== undefined && relation.twice.includes(own.name)) throw twice(wanted, what, input);
  const expression = own === undefined ? `(${wanted})` : identifier(own.name);
  const described = await describeSelect(connection, relation.sql, `${expression} AS value`).catch(
    (error: unknown) => {
      throw columnMissing(wanted, columns, what, input, messageOf(error));
    },
  );
  const { type } = described[0]!;
  if (/\[\]|\bSTRUCT\b|\bMAP\b|\[\d+\]/.test(type)) throw nested(wanted, type, what, input);
  if (type === 'BLOB') throw binary(wanted, what, input);
  // A whole number in a column with decimals, as pandas makes of one with missing values, is that number.
  if (type === 'DOUBLE' || type === 'FLOAT')
    return `CASE WHEN isnan(${expression}) THEN NULL WHEN ${expression} = trunc(${expression}) AND abs(${expression}) < 1e15
      THEN CAST(CAST(${expression} AS BIGINT) AS VARCHAR) ELSE CAST(${expression} AS VARCHAR) END`;
  return `CAST(${expression} AS VARCHAR)`;
}

/** As it is written, or as the only one that RecBole's type stands behind: `user_id` for `user_id:token`. */
function columnNamed(columns: readonly SqlColumn[], wanted: string): SqlColumn | undefined {
  const own = columns.find(({ name }) => name === wanted);
  if (own !== undefined) return own;
  const typed = columns.filter(({ name }) => name.startsWith(`${wanted}:`));
  return typed.length === 1 ? typed[0] : undefined;
}

function skip(rejected: readonly RejectedLine[], badRows: BadRows): void {
  for (const { row, problem, text } of rejected) badRows.skip(row + 1, problem, text);
}

/** Gives the rows that were loaded their places in the input. @returns the column that has them */
async function numberRows(connection: DuckDBConnection, rejected: readonly RejectedLine[]): Promise<string> {
  // Behind so many rows that were loaded, so many were not.
  const places = rejected.map(({ row }) => row).sort((one, other) => one - other);
  await createTable(connection, 'gaps', [
    { name: 'loaded_before', type: 'DOUBLE', values: Float64Array.from(places, (row, gap) => row - gap) },
    { name: 'missing', type: 'DOUBLE', values: Float64Array.from(places, (_, gap) => gap + 1) },
  ]);
  await connection.run(`CREATE TEMP TABLE numbered AS
    SELECT loaded.*, loaded.rowid + CAST(coalesce(missing, 0) AS BIGINT) AS row_of_input
    FROM loaded ASOF LEFT JOIN (SELECT loaded_before, max(missing) AS missing FROM gaps GROUP BY 1) gaps
      ON loaded.rowid >= loaded_before ORDER BY row_of_input`);
  await connection.run('DROP TABLE gaps; DROP TABLE loaded; ALTER TABLE numbered RENAME TO loaded');
  return 'row_of_input';
}

async function collect(
  { connection, table, row: place, total, column }: LoadedTable,
  wanted: readonly string[],
  signal: AbortSignal | undefined,
): Promise<TextTable> {
  const names = wanted.map(column).join(', ');
  const result = await connection.stream(`
    SELECT ${place} + 1, row_number() OVER (PARTITION BY ${names} ORDER BY ${place}) > 1, ${names} FROM ${table} ORDER BY ${place}`);
  const row: number[] = [];
  const duplicate: boolean[] = [];
  const texts = wanted.map((): (string | null)[] => []);
  for await (const chunk of result) {
    signal?.throwIfAborted();
    const [rows = [], copies = [], ...columns] = chunk.getColumns();
    for (const value of rows) row.push(Number(value));
    for (const value of copies) duplicate.push(value === true);
    for (const [index, values] of columns.entries()) {
      for (const value of values) texts[index]!.push(typeof value === 'string' ? value : null);
    }
  }
  const columns = new Map(wanted.map((name, index) => [name, texts[index]!]));
  return { total, row, duplicate, columns };
}

/** Rows that a stray quotation mark has made one value of. */
async function findSwallowed(
  connection: DuckDBConnection,
  place: string,
  width: number,
  findings: Findings,
  file: string,
): Promise<void> {
  for (let column = 0; column < width; column++) {
    const long = await connection.runAndReadAll(
      `SELECT ${place} + 1, c${column} FROM loaded WHERE contains(c${column}, chr(10)) ORDER BY 1 LIMIT 1000`,
    );
    for (const [row, text] of long.getRows()) {
      const looksLikeRows = `${text}`.split('\n').filter((line) => /[,;\t|].*[,;\t|]/.test(line)).length >= 2;
      if (looksLikeRows)
        findings.add(
          `Values of ${file} that span lines which look like rows; turn quoting off with \`quote\` if a stray mark is the cause`,
          `row ${row}`,
        );
    }
  }
}

function columnMissing(
  wanted: string,
  columns: readonly SqlColumn[],
  what: string,
  input: string,
  why: string,
): CourierError {
  const has = columns.map(({ name }) => `\`${name}\``).join(', ');
  // What is no plain name was meant as SQL, and DuckDB knows what is wrong with it.
  const problem = /^[\w .:-]+$/.test(wanted)
    ? `has no column \`${wanted}\``
    : `cannot give \`${wanted}\` (${why.split('\n', 1)[0]})`;
  return new CourierError(
    'COLUMN_MISSING',
    `${what} ${inputName(input)} ${problem}; it has ${has}.`,
    'Name one of these columns, or an SQL expression over them; in text files every column is text, as in price::DOUBLE.',
  );
}

function twice(wanted: string, what: string, input: string): CourierError {
  return new CourierError(
    'COLUMN_MISSING',
    `${what} ${inputName(input)} has two columns called \`${wanted}\`.`,
    'Rename one of them, or name the file in a query that does.',
  );
}

function nested(wanted: string, type: string, what: string, input: string): CourierError {
  // A catalogue has a row an item; a log gets a row for each member.
  const member = what === 'Catalogue' ? `${wanted}[1]` : `unnest(${wanted})`;
  const unnested = type.endsWith('[]') ? member : `${wanted}.field`;
  return new CourierError(
    'VALUE_INVALID',
    `\`${wanted}\` of ${what.toLowerCase()} ${inputName(input)} holds ${type.endsWith('[]') ? 'lists' : 'structures'} (${type}).`,
    `Give an expression for one value, such as ${shellWord(unnested)}, in a query: ${shellWord(`SELECT *, ${unnested} AS value FROM '${inputName(input)}'`)}.`,
  );
}

function binary(wanted: string, what: string, input: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `\`${wanted}\` of ${what.toLowerCase()} ${inputName(input)} holds bytes, not texts.`,
    'Name a column of texts.',
  );
}
