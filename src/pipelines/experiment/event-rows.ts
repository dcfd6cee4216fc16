/** A file of events as numbers: whose, when, and how much, everything that cannot be used left out and counted. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { createTable } from '../../data/duckdb/columns.ts';
import { literal } from '../../data/duckdb/duckdb.ts';
import { readNumber, readRows } from '../../data/duckdb/typed-rows.ts';
import { BadRows, type Findings } from '../../data/findings.ts';
import type { Indexer } from '../../data/indexer.ts';
import { labelSql, numberSql } from '../../data/sources/column-sql.ts';
import { encodeTexts } from '../../data/sources/dictionary.ts';
import { IdLooks } from '../../data/sources/id-looks.ts';
import { inputName } from '../../data/sources/input-files.ts';
import { type LoadedTable, withLoadedTable } from '../../data/sources/text-table.ts';
import { understandTimes } from '../../data/sources/time-column.ts';
import { emptyIn, type Problem, problemSql, skipUnusable } from '../../data/sources/unusable-rows.ts';
import { givenText, isMissingSql, wholeId } from '../../data/sources/words.ts';
import { CourierError } from '../../errors.ts';
import { day } from '../../experiments/definition.ts';

/** Columns of a file of events. */
export interface EventColumns {
  readonly path: string;
  readonly user: string;
  readonly time: string;
  readonly event?: string | undefined;
  readonly encoding?: string | undefined;
  /** Of exposures. */
  readonly arm?: string | undefined;
  readonly experiment?: string | undefined;
  readonly clicked?: string | undefined;
  /** Of orders. */
  readonly revenue?: string | undefined;
}

/** Milliseconds since 1970-01-01 UTC. */
export interface Period {
  /** Events from here to `begin` are of before. */
  readonly beforeFrom: number;
  readonly begin: number;
  /** From here on arms are compared. */
  readonly from: number;
  /** Nothing from here on counts. */
  readonly until: number;
}

export interface Reading {
  /** Such as `Orders`. */
  readonly what: string;
  readonly maxBadRows: number;
  readonly findings: Findings;
  readonly signal: AbortSignal | undefined;
}

/** A file whose usable rows lie in the table `usable` of a connection: row, user (a code), time, arm, clicked, revenue. */
export interface EventTable {
  readonly connection: DuckDBConnection;
  readonly rows: number;
  readonly timeMeaning: string;
}

/** No amount of money is as much. */
const mostRevenue = 1e12;

/**
 * Reads a file of events.
 *
 * @param users gives ids their codes; `known` takes only those that have one, and others are not of the experiment
 * @param arms names of arms, and of the experiment, from when on each row needs one; null where there are none
 * @throws CourierError of withLoadedTable and understandTimes, LOG_EMPTY, TOO_MANY_BAD_ROWS
 */
export async function withEvents<T>(
  columns: EventColumns,
  users: { readonly indexer: Indexer; readonly known: boolean },
  arms: { readonly names: readonly string[]; readonly experiment: string; readonly from: number } | null,
  { what, maxBadRows, findings, signal }: Reading,
  task: (table: EventTable) => Promise<T>,
): Promise<T> {
  const { path, user, time, event, encoding, experiment, clicked, revenue } = columns;
  const arm = arms === null ? undefined : columns.arm;
  const badRows = new BadRows(inputName(path), findings);
  const names = [user, time, event, arm, experiment, clicked, revenue].filter((name) => name !== undefined);
  return withLoadedTable(path, names, { what, badRows, findings, encoding, signal }, async (loaded) => {
    const { connection, table, column, total } = loaded;
    if (total === 0) throw withoutRows(what, path);
    badRows.check(total, maxBadRows);
    const times = await understandTimes({ connection, table, column: column(time), name: time });
    const labels = clicked === undefined ? 'NULL' : await labelSql(loaded, clicked, undefined);
    const amount = revenue === undefined ? 'NULL' : await numberSql(loaded, revenue, findings);
    const ofOthers =
      arms === null || experiment === undefined
        ? 'false'
        : `(time >= ${arms.from} AND trim(${column(experiment)}) IS DISTINCT FROM ${literal(arms.experiment)})`;
    const problems: Problem[] = [
      emptyIn(user, column),
      { condition: 'time IS NULL', reason: `${time} is no time of 1990 to today`, name: time },
      ...(clicked === undefined
        ? []
        : [{ condition: 'clicked IS NULL', reason: `${clicked} is neither click nor none`, name: clicked }]),
      ...(revenue === undefined
        ? []
        : [
            {
              condition: `revenue IS NULL OR isnan(revenue) OR abs(revenue) > ${mostRevenue}`,
              reason: `${revenue} is no amount`,
              name: revenue,
            },
          ]),
      ...(arms === null || arm === undefined
        ? []
        : [
            {
              condition: `time >= ${arms.from} AND arm IS NULL AND NOT ${ofOthers}`,
              reason: `${arm} is no arm of the experiment`,
              name: arm,
            },
          ]),
    ];
    const used = [user, event, arm, experiment].filter((name) => name !== undefined).map(column);
    await connection.run(`CREATE TEMP TABLE parsed AS
      SELECT row, ${column(user)} AS user_text, time, arm, clicked, revenue, ${ofOthers} AS other,
        ${event === undefined ? 'NULL' : column(event)} AS event, ${problemSql(problems)} AS problem
      FROM (SELECT ${loaded.row} AS row, ${[...new Set(used)].join(', ')}, ${times.milliseconds(column(time))} AS time,
        ${armSql(loaded, arm, arms?.names ?? [])} AS arm, ${labels} AS clicked, ${amount} AS revenue FROM ${table})`);
    await skipUnusable(loaded, problems, badRows);
    badRows.check(total, maxBadRows);
    signal?.throwIfAborted();
    await leaveOut(connection, event !== undefined, inputName(path), findings);
    await codeUsers(connection, user, users, inputName(path), findings);
    const rows = await readNumber(connection, 'SELECT count(*) FROM usable');
    return task({ connection, rows, timeMeaning: times.meaning });
  });
}

/** SQL of the place of an arm by its name; NULL for other texts. */
function armSql({ column }: LoadedTable, arm: string | undefined, names: readonly string[]): string {
  if (arm === undefined) return '0';
  const cases = names.map((name, place) => `WHEN ${literal(name.trim())} THEN ${place}`);
  return `CASE trim(${column(arm)}) ${cases.join(' ')} END`;
}

/** Takes rows of other experiments and events that came twice out of `parsed`. */
async function leaveOut(
  connection: DuckDBConnection,
  hasEvents: boolean,
  file: string,
  findings: Findings,
): Promise<void> {
  const others = await readNumber(connection, 'SELECT count(*) FROM parsed WHERE problem IS NULL AND other');
  findings.add(`Rows of ${file} of other experiments, left out`, undefined, others);
  await connection.run('DELETE FROM parsed WHERE problem IS NOT NULL OR other');
  if (!hasEvents) return;
  const again = `SELECT row FROM parsed WHERE NOT ${isMissingSql('event')}
    QUALIFY row_number() OVER (PARTITION BY event ORDER BY row) > 1`;
  findings.add(
    `Rows of ${file} whose event came before, left out`,
    undefined,
    await readNumber(connection, `SELECT count(*) FROM (${again})`),
  );
  await connection.run(`DELETE FROM parsed WHERE row IN (${again})`);
}

/** Makes `usable` of `parsed`. */
async function codeUsers(
  connection: DuckDBConnection,
  name: string,
  { indexer, known }: { readonly indexer: Indexer; readonly known: boolean },
  file: string,
  findings: Findings,
): Promise<void> {
  const looks = new IdLooks(name);
  let unknown = 0;
  await encodeTexts(connection, 'users', 'user_text', 'parsed', (text, rows) => {
    looks.at(text ?? '', rows);
    const id = wholeId(givenText(text) ?? '');
    if (!known) return indexer.indexOf(id);
    const code = indexer.find(id);
    if (code === undefined) unknown += rows;
    return code ?? -1;
  });
  looks.require();
  findings.add(`Rows of ${file} of users without an exposure, left out`, undefined, unknown);
  await connection.run(`CREATE TEMP TABLE usable AS
    SELECT users.code AS user, time, arm, clicked, revenue
    FROM parsed JOIN users ON user_text = users.text WHERE users.code >= 0`);
  await connection.run('DROP TABLE parsed');
}

/** Users of the experiment. (S) each */
export interface Subjects {
  /** Code of the user. */
  readonly user: Int32Array;
  /** Their first exposure; milliseconds. */
  readonly first: Float64Array;
}

/** What subjects did, a row for a subject and a day; and before. */
export interface Sums {
  readonly subject: Int32Array;
  readonly day: Int32Array;
  readonly count: Float64Array;
  readonly amount: Float64Array;
  readonly before: {
    readonly subject: Int32Array;
    readonly count: Float64Array;
    readonly amount: Float64Array;
  };
}

/**
 * Sums the usable rows from the first exposure of each subject on.
 *
 * @param count SQL of what counts of some rows; `amount`: of how much it comes to
 */
export async function sumBySubject(
  { connection }: EventTable,
  { user, first }: Subjects,
  { beforeFrom, begin, from, until }: Period,
  { count, amount }: { readonly count: string; readonly amount: string },
  /** What rows between the begin and the first exposure of their user are called. */
  early: string,
  findings: Findings,
): Promise<Sums> {
  await createTable(connection, 'subjects', [
    { name: 'code', type: 'INTEGER', values: user },
    { name: 'first', type: 'DOUBLE', values: first },
    { name: 'subject', type: 'INTEGER', values: Int32Array.from(user.keys()) },
  ]);
  const joined = 'usable JOIN subjects ON usable.user = subjects.code';
  findings.add(
    early,
    undefined,
    await readNumber(
      connection,
      `SELECT count(*) FROM ${joined} WHERE time >= ${begin} AND time < least(first, ${until})`,
    ),
  );
  const sums = `${count} AS count, coalesce(${amount}, 0) AS amount`;
  await connection.run(`CREATE TEMP TABLE daily AS
    SELECT subject, CAST(floor((time - ${from}) / ${day}) AS INTEGER) AS day, ${sums}
    FROM ${joined} WHERE time >= first AND time < ${until} GROUP BY ALL ORDER BY day, subject`);
  await connection.run(`CREATE TEMP TABLE earlier AS
    SELECT subject, ${sums} FROM ${joined} WHERE time >= ${beforeFrom} AND time < ${begin} GROUP BY ALL ORDER BY subject`);
  const [subject, days, counts, amounts] = await readRows(
    connection,
    ['subject', 'day', 'count', 'amount'],
    ['INTEGER', 'INTEGER', 'DOUBLE', 'DOUBLE'],
    'FROM daily',
    await readNumber(connection, 'SELECT count(*) FROM daily'),
  );
  const [earlier, earlierCounts, earlierAmounts] = await readRows(
    connection,
    ['subject', 'count', 'amount'],
    ['INTEGER', 'DOUBLE', 'DOUBLE'],
    'FROM earlier',
    await readNumber(connection, 'SELECT count(*) FROM earlier'),
  );
  return {
    subject,
    day: days,
    count: counts,
    amount: amounts,
    before: { subject: earlier, count: earlierCounts, amount: earlierAmounts },
  };
}

function withoutRows(what: string, path: string): CourierError {
  return new CourierError('LOG_EMPTY', `${what} have no rows: ${path}`, 'Check the path and the export.');
}
