/** An input as what stands after FROM, whatever its format. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { CourierError, messageOf } from '../../errors.ts';
import { exists } from '../../storage/files.ts';
import { describeSelect, fileLiteral, identifier, literal, withDuckDB } from '../duckdb/duckdb.ts';
import { isQuery, openInput, type TableInput } from './input-files.ts';
import {
  type CsvFiles,
  jsonLinesOf,
  type RejectedLine,
  rejectedOfCsv,
  rejectedOfJson,
} from './rejected-lines.ts';
import { otherEncoding, type TextFile, textFile } from './text-files.ts';

/** How text files are read. */
export interface TextOptions {
  readonly encoding?: string | undefined;
  /** The character around values that hold separators; none where there is no such thing. */
  readonly quote?: 'auto' | 'none' | '"' | "'" | undefined;
}

export interface RelationOptions extends TextOptions {
  /** Names the input in messages, such as `Click log`. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  /** Where what is written on the way may lie; by default where the system has such things. */
  readonly scratch?: string | undefined;
}

/** An input that a connection can select from. */
export interface Relation {
  /** What stands after FROM. */
  readonly sql: string;
  readonly format: 'csv' | 'JSON Lines' | 'Parquet' | 'query';
  /** Lines that are no rows, in their order, once the relation was read to its end. */
  rejected(): Promise<readonly RejectedLine[]>;
  /** Columns that occur twice in a header. */
  readonly twice: readonly string[];
}

/** Runs a task on an input. What it writes on the way is gone afterwards. */
export async function withRelation<T>(
  input: string,
  reading: RelationOptions,
  task: (connection: DuckDBConnection, relation: Relation) => Promise<T>,
): Promise<T> {
  const { what, signal } = reading;
  const opened = await openInput(input, what);
  const temporary = await mkdtemp(join(reading.scratch ?? tmpdir(), 'courier-input-'));
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
      { signal, files: opened.files, spill: temporary },
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
  reading: RelationOptions,
): Promise<Relation> {
  if (opened.kind === 'query')
    return { sql: `(${opened.sql.replace(/;\s*$/, '')})`, format: 'query', rejected: nothing, twice: [] };
  const { files, format, extension } = opened;
  if (format === 'Parquet')
    return {
      sql: `read_parquet([${files.map(fileLiteral).join(', ')}])`,
      format,
      rejected: nothing,
      twice: [],
    };
  const texts: TextFile[] = [];
  for (const [place, file] of files.entries())
    texts.push(await textFile(file, reading.encoding, temporary, place));
  if (texts.every(({ firstLine }) => firstLine === ''))
    throw new CourierError('LOG_EMPTY', `${reading.what} is empty: ${input}`, 'Check the path.');
  const paths = texts.map(({ path }) => path);
  const [{ firstLine } = { firstLine: null }] = texts;
  return format === 'csv'
    ? tableText(connection, paths, firstLine, extension, reading.quote ?? 'auto')
    : jsonText(connection, listOf(paths), firstLine);
}

const nothing = () => Promise.resolve([]);

/** As DuckDB takes several files. */
function listOf(paths: readonly string[]): string {
  return `[${paths.map(fileLiteral).join(', ')}]`;
}

function tableText(
  connection: DuckDBConnection,
  paths: readonly string[],
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
  const before = told === undefined ? 0 : 1;
  const options = `header = true, all_varchar = true, null_padding = false, skip = ${before}, ${separator}quote = ${literal(mark)}, escape = ${literal(mark)}, comment = ''`;
  const files: CsvFiles = {
    paths,
    before: before + 1,
    mark,
    rowsOf: (list) => `read_csv(${list}, ignore_errors = true, ${options})`,
  };
  return {
    sql: `read_csv(${listOf(paths)}, store_rejects = true, ${options})`,
    format: 'csv',
    rejected: () => rejectedOfCsv(connection, files),
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
    const names = (await describeSelect(connection, records)).map(({ name }) => name);
    const texts = names.map((name) => `${identifier(name)} ->> '$' AS ${identifier(name)}`);
    return {
      sql: `(SELECT ${texts.join(', ')} FROM ${records})`,
      format: 'JSON Lines',
      rejected: nothing,
      twice: [],
    };
  }
  const lines = jsonLinesOf(list);
  const found = await connection.runAndReadAll(
    `SELECT DISTINCT unnest(json_keys(json)) AS name FROM ${lines} WHERE json_type(json) = 'OBJECT' ORDER BY name`,
  );
  const names = found.getRows().map(([name]) => String(name));
  const texts = names.map(
    (name) =>
      `json ->> ${literal(`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`)} AS ${identifier(name)}`,
  );
  return {
    sql: `(SELECT ${texts.length === 0 ? 'line' : texts.join(', ')} FROM ${lines} WHERE json_type(json) = 'OBJECT')`,
    format: 'JSON Lines',
    rejected: () => rejectedOfJson(connection, lines),
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
