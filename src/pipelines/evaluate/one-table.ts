/** Exposures and what every model predicts of them, in one file: nothing of ours has seen the log. */

import { basename } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { noNumbers } from '../../data/counters/numeric-rows.ts';
import { type CategoricalColumn, splits } from '../../data/dataset.ts';
import { describeSelect, identifier, type SqlColumn, withDuckDB } from '../../data/duckdb/duckdb.ts';
import { readNumber, readRows, type TypedName } from '../../data/duckdb/typed-rows.ts';
import { CourierError } from '../../errors.ts';
import { hashFile } from '../../storage/files.ts';
import type { Predicted } from './predicted.ts';
import { isNumeric, sourceOf } from './prediction-file.ts';

/** Columns of numbers that are no predictions. */
const known = /^(user|item|time|timestamp|page_view|clicked|click|label|log|log_row|position|split)$/i;

interface Wanted {
  readonly models?: readonly string[] | undefined;
  readonly sliceBy: string | null;
}

/**
 * @throws CourierError FILE_NOT_FOUND, FILE_CORRUPT; COLUMN_MISSING; VALUE_INVALID for a value that is missing, a label other than 0 and 1,
 * or a prediction that is no probability
 */
export async function readOneTable(path: string, { models: named, sliceBy }: Wanted): Promise<Predicted> {
  const hash = await hashFile(path);
  return withDuckDB(
    [],
    async (connection) => {
      const source = await sourceOf(connection, path);
      const columns = await describeSelect(connection, source);
      const find = columnFinder(path, columns);
      const [user, view, label] = [
        find('user'),
        find('page_view', 'time', 'timestamp'),
        find('clicked', 'click', 'label'),
      ];
      const models =
        named ??
        columns
          .filter(({ name, type }) => isNumeric(type) && !known.test(name) && name !== sliceBy)
          .map(({ name }) => name);
      if (models.length === 0) throw noModels(path, columns);
      const scores = models.map((name) => find(name));
      const slice = sliceBy === null ? null : find(sliceBy);
      await connection.run(`CREATE TEMP TABLE given AS SELECT
        CAST(${identifier(user.name)} AS VARCHAR) AS user, CAST(${identifier(view.name)} AS VARCHAR) AS view,
        TRY_CAST(${identifier(label.name)} AS DOUBLE) AS label,
        ${slice === null ? "''" : `coalesce(CAST(${identifier(slice.name)} AS VARCHAR), '(none)')`} AS slice,
        ${scores.map(({ name }, place) => `TRY_CAST(${identifier(name)} AS DOUBLE) AS score_${place}`).join(', ')} FROM ${source}`);
      await requireValues(connection, path, [user, view, label], models);
      const count = await readNumber(connection, 'SELECT count(*) FROM given');
      if (count === 0)
        throw new CourierError(
          'LOG_EMPTY',
          `${path} has no rows.`,
          'Give a file with a row for each exposure.',
        );
      const codes = [
        'dense_rank() OVER (ORDER BY user) - 1',
        'dense_rank() OVER (ORDER BY user, view) - 1',
        'label',
        'dense_rank() OVER (ORDER BY slice) - 1',
      ];
      const types: TypedName[] = [
        'INTEGER',
        'INTEGER',
        'UTINYINT',
        'INTEGER',
        ...models.map((): TypedName => 'DOUBLE'),
      ];
      const values = models.map((_, place) => `coalesce(score_${place}, CAST('NaN' AS DOUBLE))`);
      const read = await readRows(
        connection,
        [...codes, ...values],
        types,
        'FROM given ORDER BY user, view',
        count,
      );
      const [users, views, labels, slices, ...predictions] = read.map((each) => Float64Array.from(each));
      const context: CategoricalColumn[] =
        slice === null
          ? []
          : [
              {
                name: slice.name,
                values: await textsOf(connection, 'slice'),
                codes: Int32Array.from(slices!),
              },
            ];
      return {
        data: dataOf(basename(path), await textsOf(connection, 'user'), users!, views!, labels!, context),
        hash,
        rows: Int32Array.from({ length: count }, (_, row) => row),
        models: models.map((model, place) => {
          return {
            model,
            scores: Float32Array.from(predictions[place]!),
            others: 0,
            keys: [user.name, view.name],
          };
        }),
      };
    },
    { files: [path] },
  );
}

/** @param views number of the page view of each exposure, ascending. (n) */
function dataOf(
  name: string,
  userNames: readonly string[],
  users: Float64Array,
  views: Float64Array,
  labels: Float64Array,
  context: readonly CategoricalColumn[],
): Predicted['data'] {
  const starts = [...views.keys()].filter((row) => row === 0 || views[row] !== views[row - 1]);
  const test = splits.indexOf('test');
  return {
    name,
    users: userNames,
    catalogue: { ids: [], photo: new Int32Array(), titles: [], categories: [] },
    pageViews: {
      user: Int32Array.from(starts, (row) => users[row]!),
      time: new Float64Array(starts.length),
      split: new Uint8Array(starts.length).fill(test),
      start: Int32Array.from([...starts, views.length]),
      history: new Int32Array(),
      historyLength: 0,
    },
    exposures: {
      item: new Int32Array(views.length),
      clicked: Uint8Array.from(labels),
      numeric: noNumbers,
      context,
    },
  };
}

/** The values of a column in the order of their codes. */
async function textsOf(connection: DuckDBConnection, column: 'user' | 'slice'): Promise<readonly string[]> {
  const read = await connection.runAndReadAll(`SELECT DISTINCT ${column} FROM given ORDER BY ${column}`);
  return read.getRows().map(([text]) => String(text));
}

function columnFinder(path: string, columns: readonly SqlColumn[]) {
  return (...names: readonly string[]): SqlColumn => {
    const found = names.flatMap((name) =>
      columns.filter((column) => column.name.toLowerCase() === name.toLowerCase()),
    )[0];
    if (found !== undefined) return found;
    throw new CourierError(
      'COLUMN_MISSING',
      `${basename(path)} has no column ${names.join(' or ')}; it has ${columns.map(({ name }) => name).join(', ')}.`,
      'Give the columns user, clicked, page_view or time, and one for each model.',
    );
  };
}

async function requireValues(
  connection: DuckDBConnection,
  path: string,
  [user, view, label]: readonly [SqlColumn, SqlColumn, SqlColumn],
  models: readonly string[],
): Promise<void> {
  const faults = [
    { sql: 'user IS NULL', text: `no ${user.name}` },
    { sql: 'view IS NULL', text: `no ${view.name}` },
    { sql: 'label IS NULL OR label NOT IN (0, 1)', text: `a ${label.name} that is neither 0 nor 1` },
    ...models.map((model, place) => ({
      sql: `NOT (score_${place} BETWEEN 0 AND 1)`,
      text: `a ${model} that is no probability`,
    })),
  ];
  for (const { sql, text } of faults) {
    const count = await readNumber(connection, `SELECT count(*) FROM given WHERE ${sql}`);
    if (count === 0) continue;
    throw new CourierError(
      'VALUE_INVALID',
      `${count} rows of ${basename(path)} have ${text}.`,
      'Mend or leave out these rows; which columns are predictions can be said: --models FIRST,SECOND.',
    );
  }
}

function noModels(path: string, columns: readonly SqlColumn[]): CourierError {
  return new CourierError(
    'COLUMN_MISSING',
    `${basename(path)} has no column of predictions; it has ${columns.map(({ name }) => name).join(', ')}.`,
    'Give a column of probabilities for each model.',
  );
}
