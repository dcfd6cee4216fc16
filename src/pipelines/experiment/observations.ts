/** Exposures, clicks and orders of files as what an experiment is made of. */
import type { Finding } from '../../data/dataset.ts';
import { readNumber, readRows } from '../../data/duckdb/typed-rows.ts';
import { Findings } from '../../data/findings.ts';
import { Indexer } from '../../data/indexer.ts';
import { inputName } from '../../data/sources/input-files.ts';
import { CourierError } from '../../errors.ts';
import type { Observations } from '../../experiments/course.ts';
import { day } from '../../experiments/definition.ts';
import {
  emptyTotals,
  type Figure,
  figures,
  type MetricName,
  type Totals,
} from '../../experiments/metrics.ts';
import { type Progress, silent } from '../../progress.ts';
import {
  type EventColumns,
  type EventTable,
  type Period,
  type Subjects,
  type Sums,
  sumBySubject,
  withEvents,
} from './event-rows.ts';

/** More days than a year with some weeks are no experiment, and every one is a look at all users. */
const mostDays = 400;

export interface EventFiles {
  readonly exposures: EventColumns;
  readonly clicks?: EventColumns | undefined;
  readonly orders?: EventColumns | undefined;
  readonly maxBadRows: number;
}

/** Whose arms are read, and from when on each exposure needs one. */
export interface NamedArms {
  readonly names: readonly string[];
  readonly experiment: string;
  readonly from: number;
}

export interface Observed {
  readonly observations: Observations;
  readonly days: number;
  readonly period: Period;
  /** Rows of each file that could be used, in the experiment or before. */
  readonly rows: Readonly<Record<'exposures' | 'clicks' | 'orders', number>>;
  /** Metrics that the files tell. */
  readonly metrics: readonly MetricName[];
  /** Users who were seen in several arms, and are in none. */
  readonly mixedUsers: number;
  readonly understood: readonly string[];
  readonly findings: readonly Finding[];
}

interface ReadOptions {
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * @param arms null where there is no experiment: then all users are in one arm
 * @param periodOf the period, once the last exposure before `cap` is known
 * @throws CourierError of reading the files; LOG_EMPTY without exposures in the period; LIMIT_EXCEEDED for one that is too long
 */
export async function readObservations(
  files: EventFiles,
  arms: NamedArms | null,
  cap: number,
  periodOf: (last: number) => Period,
  { progress = silent, signal }: ReadOptions,
): Promise<Observed> {
  const findings = new Findings();
  const indexer = new Indexer();
  const understood: string[] = [];
  const stage = 'Read events';
  const { exposures, clicks, orders, maxBadRows } = files;
  const inputs = [exposures, clicks, orders].filter((input) => input !== undefined);
  progress({ kind: 'start', stage, total: inputs.length, unit: 'files' });
  let done = 0;
  const read = async <T>(what: string, columns: EventColumns, task: (table: EventTable) => Promise<T>) => {
    const users = { indexer, known: what !== 'Exposures' };
    const result = await withEvents(
      columns,
      users,
      what === 'Exposures' ? arms : null,
      { what, maxBadRows, findings, signal },
      (table) => {
        understood.push(`Times of ${inputName(columns.path)}: ${columns.time} as ${table.timeMeaning}`);
        return task(table);
      },
    );
    progress({ kind: 'advance', stage, done: ++done });
    return result;
  };
  const shown = await read('Exposures', exposures, async (table) => {
    const last = await readNumber(
      table.connection,
      `SELECT max(time) FROM usable WHERE time < ${sqlNumber(cap)}`,
    );
    const period = checked(periodOf(last), last, exposures.path);
    const { subjects, arm, mixedUsers } = await subjectsOf(table, period);
    const early = `Rows of ${inputName(exposures.path)} from before shares were what they are, left out`;
    const sql = { count: 'count(*)', amount: 'sum(CASE WHEN clicked THEN 1 ELSE 0 END)' };
    const sums = await sumBySubject(table, subjects, period, sql, early, findings);
    return { rows: table.rows, period, subjects, arm, mixedUsers, sums };
  });
  const { period, subjects, arm } = shown;
  const others = async (what: string, columns: EventColumns | undefined, amount: string, count: string) => {
    if (columns === undefined) return null;
    const early = `Rows of ${inputName(columns.path)} from before the first exposure of their user, left out`;
    return read(what, columns, async (table) => {
      const sums = await sumBySubject(table, subjects, period, { count, amount }, early, findings);
      return { rows: table.rows, sums };
    });
  };
  const clicked = await others('Clicks', clicks, '0', 'count(*)');
  const ordered = await others('Orders', orders, 'sum(revenue)', 'count(*) FILTER (revenue >= 0)');
  progress({ kind: 'end', stage, detail: `${subjects.user.length} users` });
  const parts: Part[] = [
    { sums: shown.sums, count: 'exposures', amount: exposures.clicked === undefined ? null : 'clicks' },
    ...(clicked === null ? [] : [{ sums: clicked.sums, count: 'clicks', amount: null } as const]),
    ...(ordered === null ? [] : [{ sums: ordered.sums, count: 'orders', amount: 'revenue' } as const]),
  ];
  const days = Math.floor((period.until - 1 - period.from) / day) + 1;
  return {
    observations: {
      arms: arms?.names.length ?? 1,
      arm,
      entered: Int32Array.from(subjects.first, (first) => Math.floor((first - period.from) / day)),
      rows: rowsOf(parts),
      before: beforeOf(parts, subjects.user.length),
    },
    days,
    period,
    rows: { exposures: shown.rows, clicks: clicked?.rows ?? 0, orders: ordered?.rows ?? 0 },
    metrics: [
      ...(ordered === null ? [] : (['gmv', 'orders'] as const)),
      ...(clicked === null && exposures.clicked === undefined ? [] : (['ctr'] as const)),
    ],
    mixedUsers: shown.mixedUsers,
    understood,
    findings: findings.list(),
  };
}

/** Everybody who was exposed in the period, but those who were seen in several arms. */
async function subjectsOf({ connection }: EventTable, { from, until }: Period) {
  await connection.run(`CREATE TEMP TABLE exposed AS
    SELECT user, min(arm) AS low, max(arm) AS high, min(time) AS first
    FROM usable WHERE time >= ${from} AND time < ${until} GROUP BY user ORDER BY user`);
  const count = await readNumber(connection, 'SELECT count(*) FROM exposed WHERE low = high');
  const [user, arm, first] = await readRows(
    connection,
    ['user', 'low', 'first'],
    ['INTEGER', 'INTEGER', 'DOUBLE'],
    'FROM exposed WHERE low = high',
    count,
  );
  const mixedUsers = await readNumber(connection, 'SELECT count(*) FROM exposed WHERE low <> high');
  const subjects: Subjects = { user, first };
  return { subjects, arm, mixedUsers };
}

/** Sums of a file, and which figures they are. */
interface Part {
  readonly sums: Sums;
  readonly count: Figure;
  readonly amount: Figure | null;
}

function rowsOf(parts: readonly Part[]): Observations['rows'] {
  const length = parts.reduce((sum, { sums }) => sum + sums.subject.length, 0);
  const rows = { user: new Int32Array(length), day: new Int32Array(length), ...emptyTotals(length) };
  let from = 0;
  for (const { sums, count, amount } of parts) {
    rows.user.set(sums.subject, from);
    rows.day.set(sums.day, from);
    rows[count].set(sums.count, from);
    if (amount !== null) rows[amount].set(sums.amount, from);
    from += sums.subject.length;
  }
  return rows;
}

function beforeOf(parts: readonly Part[], users: number): Totals | null {
  if (parts.every(({ sums }) => sums.before.subject.length === 0)) return null;
  const totals = emptyTotals(users);
  for (const { sums, count, amount } of parts) {
    for (const [place, subject] of sums.before.subject.entries()) {
      totals[count][subject]! += sums.before.count[place]!;
      if (amount !== null) totals[amount][subject]! += sums.before.amount[place]!;
    }
  }
  return figures.some((figure) => totals[figure].some((value) => value !== 0)) ? totals : null;
}

function checked(period: Period, last: number, path: string): Period {
  const { from, until } = period;
  const iso = (time: number) => new Date(time).toISOString().slice(0, 16).replace('T', ' ');
  if (!(last >= from)) {
    throw new CourierError(
      'LOG_EMPTY',
      `${inputName(path)} has no exposure from ${iso(from)} UTC on${last > 0 ? `; the last one is of ${iso(last)}` : ''}.`,
      'Check the start of the experiment and its ramp, and the column of times.',
    );
  }
  if (until - from <= mostDays * day) return period;
  throw new CourierError(
    'LIMIT_EXCEEDED',
    `From ${iso(from)} to ${iso(until)} UTC are more than ${mostDays} days.`,
    'End the experiment with `end` in its definition, or look at a part of it with `until`.',
  );
}

function sqlNumber(value: number): string {
  return Number.isFinite(value) ? `${value}` : `'${value > 0 ? '' : '-'}inf'::DOUBLE`;
}
