/** CSV, JSON Lines and Parquet files as columns of text, every value as it was written. */
import { open } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { CourierError, messageOf } from '../../errors.ts';
import { requireReadable } from '../../storage/files.ts';
import { fileLiteral, identifier, literal, withDuckDB } from '../duckdb.ts';
import type { BadRows } from '../findings.ts';

export interface TextTable {
  /** Rows in the file, those that could not be read included. */
  readonly total: number;
  /** Number of each row in the file, the first after the header being 1. */
  readonly row: readonly number[];
  /** Whether all its values are those of an earlier row. */
  readonly duplicate: readonly boolean[];
  /** Each column asked for; null where the file has nothing. */
  readonly columns: ReadonlyMap<string, readonly (string | null)[]>;
}

export const tableExtensions = ['.csv', '.tsv', '.jsonl', '.ndjson', '.parquet'];

/**
 * Reads some columns of a file whose extension tells its format. Lines that are no rows of the table are
 * reported to `badRows` and skipped.
 * @param what names the file in messages, such as `Click log`
 * @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE, COLUMN_MISSING, or LOG_EMPTY for a file of no bytes
 */
export async function readTextTable(
  path: string,
  what: string,
  names: readonly string[],
  badRows: BadRows,
  signal?: AbortSignal,
): Promise<TextTable> {
  const wanted = [...new Set(names)];
  await requireReadable(path, what);
  const header = await firstLine(path);
  if (header === '') throw new CourierError('LOG_EMPTY', `${what} is empty: ${path}`, 'Check the path.');
  const read = async (connection: DuckDBConnection) => {
    const reader = readerFor(path, header);
    try {
      requireColumns(await columnNames(connection, reader.sql), wanted, what, path);
      signal?.throwIfAborted();
      await connection.run(loadStatement(reader, wanted));
      signal?.throwIfAborted();
      const rejected = reader.format === 'csv' ? await skipRejected(connection, badRows) : 0;
      return await collect(connection, wanted, rejected, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof CourierError) throw error;
      throw new CourierError(
        'FILE_UNREADABLE',
        `${what} cannot be read: ${path} (${messageOf(error).split('\n', 1)[0]})`,
        `Check that it is a whole ${reader.format} file, in UTF-8 where it is text.`,
        { cause: error },
      );
    }
  };
  return withDuckDB([dirname(path)], read, signal);
}

interface Reader {
  readonly format: 'csv' | 'JSON Lines' | 'Parquet';
  readonly sql: string;
}

function readerFor(path: string, header: string): Reader {
  const file = fileLiteral(path);
  switch (extname(path).toLowerCase()) {
    case '.csv':
    case '.tsv': {
      const options = `delim = ${literal(delimiterOf(header))}, quote = '"', escape = '"', comment = ''`;
      return {
        format: 'csv',
        sql: `read_csv(${file}, header = true, all_varchar = true, store_rejects = true, skip = 0, ${options})`,
      };
    }
    case '.jsonl':
    case '.ndjson': {
      // At depth 1 every value stays the JSON text it is, so that no id is taken for a number or a date.
      const options = "format = 'newline_delimited', records = true, maximum_depth = 1, sample_size = -1";
      return { format: 'JSON Lines', sql: `read_json(${file}, ignore_errors = true, ${options})` };
    }
    case '.parquet':
      return { format: 'Parquet', sql: `read_parquet(${file})` };
    default:
      throw new CourierError(
        'CONFIG_INVALID',
        `The format of ${path} is not known by its extension.`,
        `Give a file that ends in ${tableExtensions.join(', ')}.`,
      );
  }
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

async function columnNames(connection: DuckDBConnection, reader: string): Promise<string[]> {
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${reader}`);
  return described.getRows().map((row) => String(row[0]));
}

function requireColumns(
  names: readonly string[],
  wanted: readonly string[],
  what: string,
  path: string,
): void {
  const missing = wanted.find((name) => !names.includes(name));
  if (missing === undefined) return;
  throw new CourierError(
    'COLUMN_MISSING',
    `${what} ${basename(path)} has no column \`${missing}\`; it has ${names.map((name) => `\`${name}\``).join(', ')}.`,
    'Name one of these columns, or check the file.',
  );
}

function loadStatement({ format, sql }: Reader, wanted: readonly string[]): string {
  const text = (name: string): string =>
    format === 'JSON Lines' ? `${identifier(name)} ->> '$'` : `CAST(${identifier(name)} AS VARCHAR)`;
  const columns = wanted.map((name, index) => `${text(name)} AS c${index}`);
  return `CREATE TEMP TABLE loaded AS
    SELECT CAST(row_number() OVER () AS INTEGER) AS row, ${columns.join(', ')} FROM ${sql}`;
}

async function skipRejected(connection: DuckDBConnection, badRows: BadRows): Promise<number> {
  const rejected = await connection.runAndReadAll(`
    SELECT CAST(line AS INTEGER), min(CAST(error_type AS VARCHAR)), min(csv_line)
    FROM reject_errors GROUP BY line ORDER BY line`);
  const rows = rejected.getRows();
  for (const [line, problem, text] of rows) {
    badRows.skip(Number(line) - 1, String(problem).toLowerCase(), String(text));
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

/** The first line of a file, as far as 64 KiB. */
async function firstLine(path: string): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(65_536), 0, 65_536, 0);
    return buffer.toString('utf8', 0, bytesRead).split(/\r?\n/, 1)[0] ?? '';
  } finally {
    await handle.close();
  }
}
