/** Tables of any format as columns of text: each a column of the input, or an SQL expression over its columns. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { CourierError, messageOf } from '../../errors.ts';
import { exists } from '../../storage/files.ts';
import { fileLiteral, identifier, literal, withDuckDB } from '../duckdb.ts';
import type { BadRows, Findings } from '../findings.ts';
import { isQuery, openInput, type TableInput } from './input-files.ts';
import { type TextFile, textFile } from './text-files.ts';

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

/** How text files are read. */
export interface TextOptions {
  readonly encoding?: string | undefined;
  /** The character around values that hold separators; none where there is no such thing. */
  readonly quote?: 'auto' | 'none' | '"' | "'" | undefined;
}

export interface Reading extends TextOptions {
  /** Names the input in messages, such as `Click log`. */
  readonly what: string;
  readonly badRows: BadRows;
  readonly findings: Findings;
  readonly signal?: AbortSignal | undefined;
  /** Rows that are read at most; all without it. */
  readonly limit?: number | undefined;
}

/** An input that a connection can select from. */
export interface Relation {
  /** What stands after FROM. */
  readonly sql: string;
  readonly format: 'csv' | 'JSON Lines' | 'Parquet' | 'query';
  /** Statement that tells lines that are no rows, as number, problem and text; null where there are none. */
  readonly rejects: string | null;
  /** Columns that occur twice in a header. */
  readonly twice: readonly string[];
}

/**
 * Reads some columns, or expressions over them. Lines that are no rows of the table are reported and skipped.
 * @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE, COLUMN_MISSING, LOG_EMPTY for a file of no bytes, and CONFIG_INVALID
 */
export async function readTextTable(
  input: string,
  names: readonly string[],
  reading: Reading,
): Promise<TextTable> {
  const wanted = [...new Set(names)];
  const { signal, badRows, findings } = reading;
  return withRelation(input, reading, async (connection, relation) => {
    const shape = await columnsOf(connection, relation.sql);
    const texts = [];
    for (const name of wanted) texts.push(await textOf(connection, name, shape, relation, input, reading));
    signal?.throwIfAborted();
    await connection.run(`CREATE TEMP TABLE loaded AS SELECT CAST(row_number() OVER () AS INTEGER) AS row,
      ${texts.map((text, index) => `${text} AS c${index}`).join(', ')} FROM ${relation.sql}${
        reading.limit === undefined ? '' : ` LIMIT ${reading.limit}`
      }`);
    signal?.throwIfAborted();
    const rejected =
      relation.rejects === null ? 0 : await skip(connection, relation.rejects, basename(input), badRows);
    const table = await collect(connection, wanted, rejected, signal);
    if (relation.format === 'csv') findSwallowed(table, findings, basename(input));
    return table;
  });
}

/** Runs a task on an input. What it writes on the way is gone afterwards. */
export async function withRelation<T>(
  input: string,
  reading: Pick<Reading, 'what' | 'signal'> & TextOptions,
  task: (connection: DuckDBConnection, relation: Relation) => Promise<T>,
): Promise<T> {
  const { what, signal } = reading;
  const opened = await openInput(input, what);
  const temporary = await mkdtemp(join(tmpdir(), 'courier-input-'));
  const name = isQuery(input) ? 'the query' : input;
  try {
    return await withDuckDB(
      // Where a query has a pattern for its files, it has to see the folder that it begins with.
      [...(opened.kind === 'query' ? opened.folders : []), temporary],
      async (connection) => {
        try {
          const relation = await relationOf(connection, opened, input, temporary, reading);
          return await task(connection, relation);
        } catch (error) {
          signal?.throwIfAborted();
          if (error instanceof CourierError) throw error;
          throw (await missingFile(what, error)) ?? unreadable(what, name, opened, error);
        }
      },
      signal,
      opened.files,
    );
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function relationOf(
  connection: DuckDBConnection,
  opened: TableInput,
  input: string,
  temporary: string,
  reading: Pick<Reading, 'what'> & TextOptions,
): Promise<Relation> {
  if (opened.kind === 'query')
    return { sql: `(${opened.sql.replace(/;\s*$/, '')})`, format: 'query', rejects: null, twice: [] };
  const { files, format, extension } = opened;
  if (format === 'Parquet')
    return { sql: `read_parquet([${files.map(fileLiteral).join(', ')}])`, format, rejects: null, twice: [] };
  const texts: TextFile[] = [];
  for (const [place, file] of files.entries())
    texts.push(await textFile(file, reading.encoding, temporary, place));
  if (texts.every(({ firstLine }) => firstLine === ''))
    throw new CourierError('LOG_EMPTY', `${reading.what} is empty: ${input}`, 'Check the path.');
  const list = `[${texts.map(({ path }) => fileLiteral(path)).join(', ')}]`;
  const [{ firstLine } = { firstLine: null }] = texts;
  return format === 'csv'
    ? tableText(list, firstLine, extension, reading.quote ?? 'auto')
    : jsonText(connection, list, firstLine);
}

function tableText(
  list: string,
  firstLine: string | null,
  extension: string,
  quote: NonNullable<TextOptions['quote']>,
): Relation {
  // Excel's own first line, which names the separator.
  const told = /^sep=(.)$/i.exec(firstLine ?? '')?.[1];
  const header = told === undefined ? firstLine : null;
  const delimiter = told ?? (header === null ? null : delimiterOf(header));
  const names = header === null || delimiter === null ? [] : namesOf(header, delimiter);
  // Files with tabs have quotation marks in their texts more often than around them.
  const bare = extension !== '.csv' && delimiter === '\t' && !(header ?? '').startsWith('"');
  const mark = quote === 'auto' ? (bare ? '' : '"') : quote === 'none' ? '' : quote;
  const separator = delimiter === null ? '' : `delim = ${literal(delimiter)}, `;
  const options = `${separator}quote = ${literal(mark)}, escape = ${literal(mark)}, comment = ''`;
  return {
    sql: `read_csv(${list}, header = true, all_varchar = true, store_rejects = true, null_padding = false, skip = ${told === undefined ? 0 : 1}, ${options})`,
    format: 'csv',
    rejects: `SELECT CAST(line AS INTEGER) - 1, lower(min(CAST(error_type AS VARCHAR))), min(csv_line)
      FROM reject_errors GROUP BY line ORDER BY line`,
    twice: names.filter((name, place) => names.indexOf(name) < place),
  };
}

/** Lines of JSON as a table of texts, of all names that occur; or one array, or objects over several lines. */
async function jsonText(
  connection: DuckDBConnection,
  list: string,
  firstLine: string | null,
): Promise<Relation> {
  if (firstLine !== null && !/^\s*\{.*\}\s*$/.test(firstLine)) {
    const records = `read_json(${list}, format = 'auto', records = true, maximum_depth = 1, sample_size = -1, maximum_object_size = 268435456)`;
    const names = (await columnsOf(connection, records)).map(({ name }) => name);
    const texts = names.map((name) => `${identifier(name)} ->> '$' AS ${identifier(name)}`);
    return {
      sql: `(SELECT ${texts.join(', ')} FROM ${records})`,
      format: 'JSON Lines',
      rejects: null,
      twice: [],
    };
  }
  const lines = `read_csv(${list}, columns = {'line': 'VARCHAR'}, delim = ${literal('\u0001')}, quote = '', escape = '', header = false, auto_detect = false, max_line_size = 16777216)`;
  // DuckDB may look into a line before it has asked whether it is valid: only valid ones are there to be looked into.
  const checked = `(SELECT row_number() OVER () AS number, line, CASE WHEN json_valid(line) THEN line END AS json FROM ${lines})`;
  const found = await connection.runAndReadAll(
    `SELECT DISTINCT unnest(json_keys(json)) AS name FROM ${checked} WHERE json_type(json) = 'OBJECT' ORDER BY name`,
  );
  const names = found.getRows().map(([name]) => String(name));
  const texts = names.map(
    (name) =>
      `json ->> ${literal(`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`)} AS ${identifier(name)}`,
  );
  return {
    sql: `(SELECT ${texts.length === 0 ? 'line' : texts.join(', ')} FROM ${checked} WHERE json_type(json) = 'OBJECT')`,
    format: 'JSON Lines',
    rejects: `SELECT CAST(number AS INTEGER), 'it is not valid JSON', line FROM ${checked}
      WHERE json_type(json) IS DISTINCT FROM 'OBJECT' AND trim(line) <> '' ORDER BY number`,
    twice: [],
  };
}

/** The separator that occurs most often in the header, outside quotes; a comma if there is none. */
function delimiterOf(header: string): string {
  const bare = header.replace(/"[^"]*"/g, '');
  const counts = [',', ';', '\t', '|'].map((delimiter) => ({
    delimiter,
    count: bare.split(delimiter).length - 1,
  }));
  return counts.reduce((best, each) => (each.count > best.count ? each : best)).delimiter;
}

function namesOf(header: string, delimiter: string): readonly string[] {
  return header.split(delimiter).map((name) => name.trim().replace(/^"(.*)"$/, '$1'));
}

export interface InputColumn {
  readonly name: string;
  /** As DuckDB names it. */
  readonly type: string;
}

export async function columnsOf(
  connection: DuckDBConnection,
  relation: string,
): Promise<readonly InputColumn[]> {
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${relation}`);
  return described.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }));
}

/** The SQL of a column, or of an expression, as text. @throws CourierError COLUMN_MISSING */
async function textOf(
  connection: DuckDBConnection,
  wanted: string,
  columns: readonly InputColumn[],
  relation: Relation,
  input: string,
  { what }: Pick<Reading, 'what'>,
): Promise<string> {
  const own = columnNamed(columns, wanted);
  if (own !== undefined && relation.twice.includes(own.name)) throw twice(wanted, what, input);
  const expression = own === undefined ? `(${wanted})` : identifier(own.name);
  const described = await connection
    .runAndReadAll(`DESCRIBE SELECT ${expression} AS value FROM ${relation.sql}`)
    .catch((error: unknown) => {
      throw columnMissing(wanted, columns, what, input, messageOf(error));
    });
  const type = String(described.getRows()[0]?.[1]);
  if (/\[\]|\bSTRUCT\b|\bMAP\b|\[\d+\]/.test(type)) throw nested(wanted, type, what, input);
  if (type === 'BLOB') throw binary(wanted, what, input);
  // A whole number in a column with decimals, as pandas makes of one with missing values, is that number.
  if (type === 'DOUBLE' || type === 'FLOAT')
    return `CASE WHEN isnan(${expression}) THEN NULL WHEN ${expression} = trunc(${expression}) AND abs(${expression}) < 1e15
      THEN CAST(CAST(${expression} AS BIGINT) AS VARCHAR) ELSE CAST(${expression} AS VARCHAR) END`;
  return `CAST(${expression} AS VARCHAR)`;
}

/** As it is written, or as the only one that RecBole's type stands behind: `user_id` for `user_id:token`. */
function columnNamed(columns: readonly InputColumn[], wanted: string): InputColumn | undefined {
  const own = columns.find(({ name }) => name === wanted);
  if (own !== undefined) return own;
  const typed = columns.filter(({ name }) => name.startsWith(`${wanted}:`));
  return typed.length === 1 ? typed[0] : undefined;
}

const otherEncoding = 'Name its encoding with `encoding` (--encoding), such as latin1, windows-1252 or gbk.';

async function skip(
  connection: DuckDBConnection,
  rejects: string,
  name: string,
  badRows: BadRows,
): Promise<number> {
  const rows = (await connection.runAndReadAll(rejects)).getRows();
  for (const [line, problem, text] of rows) {
    if (/encoding/.test(String(problem)))
      throw new CourierError(
        'FILE_UNREADABLE',
        `Line ${Number(line) + 1} of ${name} is not in UTF-8.`,
        otherEncoding,
      );
    badRows.skip(Number(line), String(problem), String(text));
  }
  return rows.length;
}

async function collect(
  connection: DuckDBConnection,
  wanted: readonly string[],
  rejected: number,
  signal: AbortSignal | undefined,
): Promise<TextTable> {
  const names = wanted.map((_, index) => `c${index}`).join(', ');
  const result = await connection.stream(`
    SELECT row, row_number() OVER (PARTITION BY ${names} ORDER BY row) > 1, ${names} FROM loaded ORDER BY row`);
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
  return { total: row.length + rejected, row, duplicate, columns };
}

/** Rows that a stray quotation mark has made one value of. */
function findSwallowed(table: TextTable, findings: Findings, file: string): void {
  for (const texts of table.columns.values()) {
    for (const [index, text] of texts.entries()) {
      if (text === null || !text.includes('\n')) continue;
      const looksLikeRows = text.split('\n').filter((line) => /[,;\t|].*[,;\t|]/.test(line)).length >= 2;
      if (looksLikeRows)
        findings.add(
          `Values of ${file} that span lines which look like rows; turn quoting off with \`quote\` if a stray mark is the cause`,
          `row ${table.row[index]}`,
        );
    }
  }
}

function columnMissing(
  wanted: string,
  columns: readonly InputColumn[],
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
    `${what} ${nameOf(input)} ${problem}; it has ${has}.`,
    'Name one of these columns, or an SQL expression over them; in text files every column is text, as in price::DOUBLE.',
  );
}

function twice(wanted: string, what: string, input: string): CourierError {
  return new CourierError(
    'COLUMN_MISSING',
    `${what} ${nameOf(input)} has two columns called \`${wanted}\`.`,
    'Rename one of them, or name the file in a query that does.',
  );
}

function nested(wanted: string, type: string, what: string, input: string): CourierError {
  const unnested = type.endsWith('[]') ? `unnest(${wanted})` : `${wanted}.field`;
  return new CourierError(
    'VALUE_INVALID',
    `\`${wanted}\` of ${what.toLowerCase()} ${nameOf(input)} holds ${type.endsWith('[]') ? 'lists' : 'structures'} (${type}).`,
    `Give an expression for one value, such as "${unnested}", in a query: "SELECT *, ${unnested} AS value FROM '${basename(input)}'".`,
  );
}

function binary(wanted: string, what: string, input: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `\`${wanted}\` of ${what.toLowerCase()} ${nameOf(input)} holds bytes, not texts.`,
    'Name a column of texts.',
  );
}

/** A query that names a file which is not there is told by DuckDB that it may not look for it. */
async function missingFile(what: string, error: unknown): Promise<CourierError | null> {
  const path = /Cannot access file "([^"]*)"/.exec(messageOf(error))?.[1];
  if (path === undefined || (await exists(path))) return null;
  return new CourierError(
    'FILE_NOT_FOUND',
    `${what} not found: the query names ${path}, and nothing is there.`,
    'Check the path, or the folder that a recipe was given.',
    { cause: error },
  );
}

function unreadable(what: string, name: string, opened: TableInput, error: unknown): CourierError {
  const message = messageOf(error).split('\n', 1)[0] ?? '';
  const format = opened.kind === 'query' ? 'query' : opened.format;
  const encoding = /unicode|utf-?8|byte sequence/i.test(messageOf(error));
  return new CourierError(
    opened.kind === 'query' ? 'CONFIG_INVALID' : 'FILE_UNREADABLE',
    `${what} cannot be read: ${name} (${message})`,
    format === 'query'
      ? 'Check the query; it may read the files that it names, and nothing else.'
      : encoding
        ? otherEncoding
        : `Check that it is a whole ${format} file, in UTF-8 where it is text.`,
    { cause: error },
  );
}

function nameOf(input: string): string {
  return isQuery(input) ? 'in the query' : basename(resolve(input));
}
