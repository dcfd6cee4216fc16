/** What a user names as an input: a file, a glob, a folder of parts, or a SELECT over files. */
import { stat } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { CourierError } from '../../errors.ts';
import { requireReadable } from '../../storage/files.ts';
import { literal, withDuckDB } from '../duckdb/duckdb.ts';
import { filesBelow } from './photo-collection.ts';

export type TableFormat = 'csv' | 'JSON Lines' | 'Parquet';

/** Files of one format, or a query. */
export type TableInput =
  | {
      readonly kind: 'files';
      readonly files: readonly string[];
      readonly format: TableFormat;
      /** The extension that tells it, such as `.tsv`. */
      readonly extension: string;
    }
  | {
      readonly kind: 'query';
      readonly sql: string;
      readonly files: readonly string[];
      /** Where its patterns begin. */
      readonly folders: readonly string[];
    };

const formats: ReadonlyMap<string, TableFormat> = new Map([
  ['.csv', 'csv'],
  ['.tsv', 'csv'],
  ['.txt', 'csv'],
  // RecBole's atomic files.
  ['.inter', 'csv'],
  ['.item', 'csv'],
  ['.user', 'csv'],
  ['.jsonl', 'JSON Lines'],
  ['.ndjson', 'JSON Lines'],
  ['.json', 'JSON Lines'],
  ['.parquet', 'Parquet'],
]);

const compressed = ['.gz', '.zst'];

/** Whether an input is a query and no path. */
export function isQuery(input: string): boolean {
  return /^\s*(SELECT|WITH|FROM)\s/i.test(input);
}

/** How an input is called in messages. */
export function inputName(input: string): string {
  return isQuery(input) ? 'the query' : basename(resolve(input));
}

/**
 * The files behind what was named.
 * @param what names the input in messages, such as `Click log`
 * @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE, CONFIG_INVALID for an unknown format
 */
export async function openInput(input: string, what: string): Promise<TableInput> {
  if (isQuery(input)) return { kind: 'query', sql: input, ...(await filesOfQuery(input)) };
  const entry = await stat(input).catch(() => null);
  if (entry?.isDirectory() === true) return partsOf(input, what);
  if (entry !== null || !isPattern(input)) {
    await requireReadable(input, what);
    return { kind: 'files', files: [input], ...formatOf(input) };
  }
  const files = await matchesOf(input);
  if (files.length === 0)
    throw new CourierError(
      'FILE_NOT_FOUND',
      `${what} not found: nothing matches ${input}`,
      'Check the pattern.',
    );
  return { kind: 'files', files, ...oneFormat(files, input) };
}

/** The files and folders that an input depends on, for the fingerprint of a dataset. */
export async function filesOfInput(input: string): Promise<readonly string[]> {
  return isQuery(input) || isPattern(input) ? (await openInput(input, 'Input')).files : [input];
}

async function partsOf(folder: string, what: string): Promise<TableInput> {
  // Hadoop and Spark write beside their parts what is none: _SUCCESS, .crc, _metadata.
  const files = (await filesBelow(folder, what)).filter((path) => {
    return !/^[._]/.test(basename(path)) && formats.has(extensionOf(path));
  });
  if (files.length === 0) {
    throw new CourierError(
      'FILE_NOT_FOUND',
      `${what} is a folder without a file that can be read: ${folder}`,
      `Name a file, or a folder with parts that end in ${knownExtensions}.`,
    );
  }
  return { kind: 'files', files, ...oneFormat(files, folder) };
}

function oneFormat(files: readonly string[], named: string) {
  const found = files.map(formatOf);
  const [first] = found;
  if (first !== undefined && found.every(({ format }) => format === first.format)) return first;
  throw new CourierError(
    'CONFIG_INVALID',
    `${named} holds files of several formats: ${[...new Set(found.map(({ extension }) => extension))].join(', ')}.`,
    'Name those of one format, with a pattern such as folder/*.parquet.',
  );
}

const knownExtensions = `${[...formats.keys()].join(', ')}, also with ${compressed.join(' or ')}`;

function formatOf(path: string): { readonly format: TableFormat; readonly extension: string } {
  const extension = extensionOf(path);
  const format = formats.get(extension);
  if (format !== undefined) return { format, extension };
  throw new CourierError(
    'CONFIG_INVALID',
    `The format of ${path} is not known by its extension.`,
    `Give a file that ends in ${knownExtensions}; or a query such as "SELECT * FROM read_csv('${basename(path)}')".`,
  );
}

/** In lower case, without that of a compression. */
function extensionOf(path: string): string {
  const last = extname(path).toLowerCase();
  return compressed.includes(last) ? extname(path.slice(0, -last.length)).toLowerCase() : last;
}

export function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

/** The folder that a pattern begins with. */
function rootOf(pattern: string): string {
  const parts = resolve(pattern).split('/');
  return parts.slice(0, Math.max(1, parts.findIndex(isPattern))).join('/') || '/';
}

/** In the order of their names. */
export async function matchesOf(pattern: string): Promise<string[]> {
  const root = rootOf(pattern);
  if ((await stat(root).catch(() => null)) === null) return [];
  return withDuckDB([root], async (connection) => {
    const found = await connection.runAndReadAll(`SELECT file FROM glob(${literal(resolve(pattern))})`);
    return found
      .getRows()
      .map(([file]) => String(file))
      .sort();
  });
}

/** Those that a query names as texts: an existing file, or a pattern that something matches. */
async function filesOfQuery(sql: string): Promise<{ files: string[]; folders: string[] }> {
  const found: string[] = [];
  const folders: string[] = [];
  for (const [, quoted = ''] of sql.matchAll(/'((?:[^']|'')*)'/g)) {
    const text = quoted.replaceAll("''", "'");
    if (text === '') continue;
    const entry = await stat(text).catch(() => null);
    if (entry?.isFile() === true) found.push(text);
    else if (entry === null && isPattern(text)) {
      const matches = await matchesOf(text);
      found.push(...matches);
      if (matches.length > 0) folders.push(rootOf(text));
    }
  }
  return { files: [...new Set(found.map((path) => resolve(path)))], folders: [...new Set(folders)] };
}
