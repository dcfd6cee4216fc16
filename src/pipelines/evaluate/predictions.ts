/** Predictions of rankers that we never saw, joined to the exposures that they are of. */
import { basename } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Dataset } from '../../data/dataset.ts';
import { createTable } from '../../data/duckdb/columns.ts';
import { describeSelect, identifier, type SqlColumn, withDuckDB } from '../../data/duckdb/duckdb.ts';
import { readNumber, readRows } from '../../data/duckdb/typed-rows.ts';
import { CourierError, messageOf } from '../../errors.ts';
import { isNumeric, sourceOf } from './prediction-file.ts';

/** Where exposures stand in their logs, and when each was shown. (R) each */
export interface LogPlaces {
  readonly log: Int32Array;
  readonly row: Float64Array;
  readonly time: Float64Array;
}

/** What a file says of the exposures that were asked for. */
export interface Predictions {
  /** Of each of them, NaN without one. (n) */
  readonly scores: Float32Array;
  /** Rows of the file that are of none of them, such as of other periods. */
  readonly others: number;
  /** By which columns they were joined. */
  readonly keys: readonly string[];
}

const scoreNames = /^(score|prediction|probability|prob|p|pred|predicted|ctr|pctr)$/i;

/** Ways to say which exposure is meant, the surest first; the last column of the first may be missing. */
const keysOf = {
  row: ['log_row', 'log'],
  moment: ['user', 'item', 'time'],
} as const;

/**
 * @param rows exposures of the dataset that predictions are wanted of. (n)
 * @param places null for a dataset whose candidates were drawn: then user, item and time of the page view are the key
 * @param score the column of predictions, or an expression; undefined to find it
 * @throws CourierError FILE_CORRUPT, VALUE_INVALID where keys or scores are not plain, or an exposure has several predictions
 */
export async function readPredictions(
  path: string,
  dataset: Dataset,
  rows: Int32Array,
  places: LogPlaces | null,
  score: string | undefined,
): Promise<Predictions> {
  return withDuckDB(
    [],
    async (connection) => {
      const source = await sourceOf(connection, path);
      const columns = await describeSelect(connection, source);
      const own = understand(path, columns, places, score);
      await describeSelect(connection, source, own.selected.join(', ')).catch((error: unknown) => {
        throw withoutScore(path, columns, messageOf(error).split('\n', 1)[0]);
      });
      await createTable(connection, 'wanted', wantedColumns(dataset, rows, places));
      await connection.run(`CREATE TEMP TABLE given AS SELECT ${own.selected.join(', ')} FROM ${source}`);
      return join(connection, path, rows.length, own.keys);
    },
    { files: [path] },
  );
}

async function join(
  connection: DuckDBConnection,
  path: string,
  count: number,
  keys: readonly string[],
): Promise<Predictions> {
  const on = keys.map((key) => `wanted.${key} = given.${key}`).join(' AND ');
  await connection.run(`CREATE TEMP TABLE found AS
    SELECT place, count(*) AS times, max(given.score) AS score FROM wanted JOIN given ON ${on} WHERE given.score IS NOT NULL GROUP BY place`);
  const several = await readNumber(connection, 'SELECT count(*) FROM found WHERE times > 1');
  if (several > 0) throw severalOf(path, several, keys);
  const matched = await readNumber(connection, 'SELECT count(*) FROM found');
  const [place, value] = await readRows(
    connection,
    ['place', 'score'],
    ['INTEGER', 'DOUBLE'],
    'FROM found ORDER BY place',
    matched,
  );
  const scores = new Float32Array(count).fill(Number.NaN);
  for (let at = 0; at < matched; at++) {
    if (!(value[at]! >= 0 && value[at]! <= 1)) throw noProbability(path, value[at]!);
    scores[place[at]!] = value[at]!;
  }
  const all = await readNumber(connection, 'SELECT count(*) FROM given');
  return { scores, others: all - matched, keys };
}

/** Which columns are the key and the prediction, as SQL of our names for them. */
function understand(
  path: string,
  columns: readonly SqlColumn[],
  places: LogPlaces | null,
  score: string | undefined,
): { readonly keys: readonly string[]; readonly selected: readonly string[] } {
  const named = (name: string) => columns.find((column) => column.name.toLowerCase() === name);
  const isByRow = places !== null && named('log_row') !== undefined;
  const keys: readonly string[] = isByRow
    ? keysOf.row.filter((name) => named(name) !== undefined)
    : keysOf.moment;
  const missing = keys.filter((name) => named(name) === undefined);
  if (missing.length > 0) throw withoutKey(path, columns);
  const others = columns.filter(({ name }) => !keys.includes(name.toLowerCase()));
  const numbers = others.filter(({ type }) => isNumeric(type));
  const called = numbers.filter(({ name }) => scoreNames.test(name));
  const chosen =
    score === undefined
      ? called.length === 1
        ? called[0]
        : numbers.length === 1
          ? numbers[0]
          : undefined
      : others.find(({ name }) => name === score);
  const sql = chosen === undefined ? score : identifier(chosen.name);
  if (sql === undefined) throw withoutScore(path, columns);
  return {
    keys,
    selected: [
      ...keys.map((name) => `${keySql(name, named(name)!)} AS ${name}`),
      `CAST((${sql}) AS DOUBLE) AS score`,
    ],
  };
}

/** A column of a key as what it is compared with. */
function keySql(name: string, { name: own, type }: SqlColumn): string {
  const column = identifier(own);
  if (name === 'user' || name === 'item')
    return `regexp_replace(trim(CAST(${column} AS VARCHAR)), '^(-?[0-9]+)\\.0+$', '\\1')`;
  if (name !== 'time') return `CAST(${column} AS BIGINT)`;
  return isNumeric(type) ? `CAST(${column} AS BIGINT)` : `epoch_ms(CAST(${column} AS TIMESTAMPTZ))`;
}

function wantedColumns(
  { users, catalogue, pageViews, exposures }: Dataset,
  rows: Int32Array,
  places: LogPlaces | null,
) {
  const viewOf = new Int32Array(exposures.item.length);
  for (let view = 0; view < pageViews.user.length; view++)
    viewOf.fill(view, pageViews.start[view], pageViews.start[view + 1]);
  const big = (figureOf: (row: number) => number) =>
    BigInt64Array.from(rows, (row) => BigInt(Math.floor(figureOf(row))));
  return [
    { name: 'place', type: 'INTEGER', values: Int32Array.from(rows.keys()) } as const,
    { name: 'log', type: 'INTEGER', values: rows.map((row) => places?.log[row] ?? 0) } as const,
    { name: 'log_row', type: 'BIGINT', values: big((row) => places?.row[row] ?? 0) } as const,
    {
      name: 'user',
      type: 'VARCHAR',
      values: Array.from(rows, (row) => users[pageViews.user[viewOf[row]!]!]!),
    } as const,
    {
      name: 'item',
      type: 'VARCHAR',
      values: Array.from(rows, (row) => catalogue.ids[exposures.item[row]!]!),
    } as const,
    {
      name: 'time',
      type: 'BIGINT',
      values: big((row) => places?.time[row] ?? pageViews.time[viewOf[row]!]!),
    } as const,
  ];
}

function has(columns: readonly SqlColumn[]): string {
  return columns.map(({ name, type }) => `\`${name}\` (${type})`).join(', ');
}

function withoutKey(path: string, columns: readonly SqlColumn[]): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `${basename(path)} does not say which exposures its predictions are of; it has ${has(columns)}.`,
    'Give the columns log_row (and log, where something was appended), as `features` writes them, or user, item and time (milliseconds since 1970, or timestamps).',
  );
}

function withoutScore(path: string, columns: readonly SqlColumn[], why?: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    why === undefined
      ? `Which column of ${basename(path)} holds the predictions is not plain; it has ${has(columns)}.`
      : `${basename(path)} does not give these predictions (${why}); it has ${has(columns)}.`,
    'Call the column score, or name it or an expression: --set score=COLUMN.',
  );
}

function noProbability(path: string, value: number): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `${basename(path)} predicts ${value}, which is no probability.`,
    'Give probabilities; of logits they are an expression: --set "score=1 / (1 + exp(-my_score))".',
  );
}

function severalOf(path: string, count: number, keys: readonly string[]): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `${basename(path)} has several predictions of ${count} exposures, by ${keys.join(', ')}.`,
    'Give one prediction for each exposure; where something was appended to the dataset, the column log tells rows of different logs apart.',
  );
}
