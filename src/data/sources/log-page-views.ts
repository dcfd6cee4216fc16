/** Rows of a log that were shown together, in the order of time. */
import { createTable } from '../duckdb/columns.ts';
import { readNumber, readRows } from '../duckdb/typed-rows.ts';
import type { Findings } from '../findings.ts';
import type { LogRows } from './log-row.ts';
import type { CodedLog } from './table-log.ts';

/** Numbers and contexts that a log has beside what every log has. */
export interface ExtraColumns {
  readonly numeric: readonly string[];
  readonly context: readonly string[];
}

/** Rows ordered by the time of their page view, those of one side by side in the order of the log. */
export interface ShownRows extends LogRows {
  /** Begin of the page view of each row, milliseconds: the earliest time of its rows. (R) */
  readonly viewTime: Float64Array;
  /** What tells page views apart: equal in rows side by side of one page view. (R) */
  readonly viewKey: Float64Array;
}

/**
 * Rows of one user with the same page view, which begins with the earliest of them; one that spans more than `longest` is several.
 * @param longest milliseconds
 * @param byColumn whether the log says which rows belong together; else those of a user and a time do
 */
export async function readShownRows(
  log: CodedLog,
  extra: ExtraColumns,
  longest: number,
  byColumn: boolean,
  findings: Findings,
  signal?: AbortSignal,
): Promise<ShownRows> {
  if (!byColumn)
    return readOrdered(log, extra, 'time', 'user_id', 'FROM coded ORDER BY time, user_id, row', signal);
  const { connection } = log;
  await connection.run(`CREATE TEMP TABLE views AS
    SELECT user_id, view, min(time) AS begin, max(time) AS last, min(row) AS first FROM coded GROUP BY user_id, view`);
  await splitLongViews(log, longest, findings);
  const source = `FROM (SELECT coded.*, coalesce(parts.begin, views.begin) AS begin, coalesce(parts.first, views.first) AS first
    FROM coded JOIN views USING (user_id, view) LEFT JOIN parts ON coded.row = parts.row) ORDER BY begin, first, row`;
  return readOrdered(log, extra, 'begin', 'first', source, signal);
}

/** Rows of purchases in the order of time, each once. */
export async function readPurchases(
  log: CodedLog,
  extra: ExtraColumns,
  findings: Findings,
  signal?: AbortSignal,
): Promise<LogRows> {
  const { connection } = log;
  const contexts = extra.context.map((_, place) => `, x${place}`).join('');
  await connection.run(`CREATE TEMP TABLE again AS SELECT row FROM coded
    QUALIFY row_number() OVER (PARTITION BY user_id, item_id, time${contexts} ORDER BY row) > 1`);
  const again = await readNumber(connection, 'SELECT count(*) FROM again');
  const first = await readNumber(connection, 'SELECT min(row) + 1 FROM again');
  findings.add(duplicateRows, `row ${first}`, again);
  const source = 'FROM coded WHERE row NOT IN (SELECT row FROM again) ORDER BY time, row';
  return readOrdered({ ...log, count: log.count - again }, extra, 'time', 'row', source, signal);
}

/** What equal rows of a log are told of as. */
export const duplicateRows = 'Duplicate rows of the log dropped';

async function readOrdered(
  { connection, count }: CodedLog,
  { numeric, context }: ExtraColumns,
  begin: string,
  key: string,
  source: string,
  signal: AbortSignal | undefined,
): Promise<ShownRows> {
  const columns = ['row + 1', 'user_id', 'item_id', 'time', 'clicked_at', begin, key] as const;
  const types = ['DOUBLE', 'INTEGER', 'INTEGER', 'DOUBLE', 'DOUBLE', 'DOUBLE', 'DOUBLE'] as const;
  // One query: every other would sort again.
  const all = await readRows(
    connection,
    [
      ...columns,
      'clicked',
      ...numeric.map((_, place) => `n${place}`),
      ...context.map((_, place) => `x${place}`),
    ],
    [...types, 'UTINYINT', ...numeric.map(() => 'DOUBLE' as const), ...context.map(() => 'INTEGER' as const)],
    source,
    count,
    signal,
  );
  const [row, user, item, time, clickedAt, viewTime, viewKey, clicked, ...rest] = all;
  return {
    row,
    user,
    item,
    time,
    clickedAt,
    viewTime,
    viewKey,
    clicked,
    numeric: rest.flatMap((values) => (values instanceof Float64Array ? [values] : [])),
    context: rest.flatMap((values) => (values instanceof Int32Array ? [values] : [])),
  };
}

/** Makes `parts`: begin and first row of the part of a page view that each row of a long one belongs to. */
async function splitLongViews(log: CodedLog, longest: number, findings: Findings): Promise<void> {
  const { connection } = log;
  await connection.run(`CREATE TEMP TABLE long AS
    SELECT user_id, view, row_number() OVER (ORDER BY first) AS number FROM views WHERE last - begin > ${longest}`);
  const long = 'FROM coded JOIN long USING (user_id, view)';
  const count = await readNumber(connection, `SELECT count(*) ${long}`);
  const [row, time, number] = await readRows(
    connection,
    ['row', 'time', 'number'],
    ['DOUBLE', 'DOUBLE', 'INTEGER'],
    `${long} ORDER BY number, time, row`,
    count,
  );
  const begin = new Float64Array(count);
  const first = new Float64Array(count);
  for (let place = 0, parts = 0, start = 0; place < count; place++) {
    const isSame = place > 0 && number[place] === number[place - 1];
    if (!isSame || time[place]! - time[start]! > longest) {
      start = place;
      parts = isSame ? parts + 1 : 1;
    }
    begin[place] = time[start]!;
    first[place] = row[start]!;
    if (number[place] !== number[place + 1])
      findings.add(
        'Page views whose number came back later, split in time',
        number[place]! <= 5 ? `${await log.pageViewOf(row[place]!)} of one user, ${parts} times` : undefined,
      );
  }
  await createTable(connection, 'parts', [
    { name: 'row', type: 'DOUBLE', values: row },
    { name: 'begin', type: 'DOUBLE', values: begin },
    { name: 'first', type: 'DOUBLE', values: first },
  ]);
}
