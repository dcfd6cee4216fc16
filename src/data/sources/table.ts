/** Adapter for a click log, a catalogue and a folder of photos, whose columns a user names or puts together by SQL. */
import { basename, extname } from 'node:path';
import { Random } from '../../random.ts';
import { type Clicks, eventsInOrder, orderByTime, type UserEvents } from '../clicks.ts';
import { Findings } from '../findings.ts';
import { Indexer } from '../indexer.ts';
import { defaultCandidates } from './candidate-options.ts';
import { filesOfInput, isQuery } from './input-files.ts';
import type { LogRow } from './log-row.ts';
import { samplePageViews } from './sampled-page-views.ts';
import type { Source, SourceData, SourceExposures, SourcePageViews } from './source.ts';
import { quantileSplitTimes, type SplitTimes, splitByTime } from './splits.ts';
import { openCatalogue } from './table-catalogue.ts';
import { readLog } from './table-log.ts';
import { type TableOptions, tableOptions } from './table-options.ts';
import { parseTime } from './time.ts';

export const tableSource: Source<TableOptions> = {
  options: tableOptions,
  name: ({ log }) => (isQuery(log.path) ? 'query' : basename(log.path, extname(log.path))),
  async inputs({ log, catalogue, images }) {
    const named = [log.path, catalogue?.path].filter((path) => path !== undefined);
    const files = [];
    for (const input of named) files.push(...(await filesOfInput(input)));
    return [...files, ...(images === undefined ? [] : [images])];
  },
  async read(options, context): Promise<SourceData> {
    const findings = new Findings();
    const users = new Indexer();
    const catalogue = await openCatalogue(options, context, findings);
    const { rows: log, understood } = await readLog(
      options.log,
      { users, items: catalogue.items },
      context,
      findings,
    );
    const described = catalogue.describe(log, findings);
    const isPurchaseLog = options.log.clicked === undefined;
    const views = isPurchaseLog
      ? sampledViews(log, options, context.seed, findings)
      : exposedViews(log, options, findings);
    return {
      users: users.ids,
      items: described.items,
      understood: [...understood, ...described.understood],
      categoryNames: options.catalogue?.categories ?? [],
      ...views,
      counterPeriod,
      candidatesAreSampled: isPurchaseLog,
      findings: findings.list(),
    };
  },
};

type Views = Pick<SourceData, 'clicks' | 'shown' | 'pageViews' | 'exposures' | 'candidateSampling'>;

/** A log of this kind knows moments: a counter may use all that came before. */
const counterPeriod = 1;

function clicksOf(log: readonly LogRow[]): Clicks {
  const clicked = log.filter((row) => row.clicked);
  return eventsAt(
    clicked,
    clicked.map(({ clickedAt }) => clickedAt),
  );
}

function eventsAt(rows: readonly LogRow[], times: readonly number[]): UserEvents {
  return eventsInOrder(
    rows.map(({ user }) => user),
    rows.map(({ item }) => item),
    times,
  );
}

function sampledViews(
  log: readonly LogRow[],
  options: TableOptions,
  seed: number,
  findings: Findings,
): Views {
  const ordered = Array.from(orderByTime(log.map(({ time }) => time)), (row) => log[row]!);
  const clicks = clicksOf(ordered);
  const { target, start, item, clicked, sampling } = samplePageViews(
    clicks,
    counterPeriod,
    options.candidates ?? defaultCandidates,
    Random.seeded(seed, 'candidates'),
    findings,
  );
  const firstRows = Array.from(target, (row) => ordered[row]!);
  const times = firstRows.map(({ time }) => time);
  return {
    clicks,
    shown: null,
    pageViews: describePageViews(firstRows, times, start, options),
    exposures: { item, clicked, numeric: [] },
    candidateSampling: sampling,
  };
}

/** Rows of one user with the same page view text become one page view, at the earliest of their times. */
function exposedViews(log: readonly LogRow[], options: TableOptions, findings: Findings): Views {
  const views = pageViewsOf(log, 60_000 * options.log.pageViewMinutes, findings);
  findSingles(views, findings);
  const times = views.map((rows) => rows.reduce((first, { time }) => Math.min(first, time), rows[0]!.time));
  const order = orderByTime(times);
  const start = [0];
  const candidates: LogRow[] = [];
  for (const view of order) {
    for (const candidate of distinctItems(views[view]!, findings)) candidates.push(candidate);
    start.push(candidates.length);
  }
  const firstRows = Array.from(order, (view) => views[view]![0]!);
  const viewTimes = Array.from(order, (view) => times[view]!);
  return {
    clicks: clicksOf(candidates),
    shown: eventsAt(
      candidates,
      candidates.map(({ time }) => time),
    ),
    pageViews: describePageViews(firstRows, viewTimes, Int32Array.from(start), options),
    exposures: describeExposures(candidates, options),
    candidateSampling: 'exposed by the shop',
  };
}

/** Rows of one user and page view, in the order of the first of each; one that spans more than `longest` is several. */
function pageViewsOf(log: readonly LogRow[], longest: number, findings: Findings): LogRow[][] {
  const shown = new Map<string, LogRow[]>();
  for (const row of log) {
    const key = `${row.user} ${row.pageView}`;
    const together = shown.get(key);
    if (together === undefined) shown.set(key, [row]);
    else together.push(row);
  }
  return [...shown.values()].flatMap((rows) => {
    const parts: LogRow[][] = [];
    for (const row of rows.toSorted((a, b) => a.time - b.time)) {
      const part = parts.at(-1);
      if (part === undefined || row.time - part[0]!.time > longest) parts.push([row]);
      else part.push(row);
    }
    if (parts.length === 1) return [rows];
    const again = `${rows[0]!.pageView} of one user, ${parts.length} times`;
    findings.add('Page views whose number came back later, split in time', again);
    return parts;
  });
}

/** Share of page views with a single exposure from which on they are told of. */
const mostSingles = 0.9;

function findSingles(views: readonly LogRow[][], findings: Findings): void {
  const singles = views.filter(({ length }) => length === 1).length;
  if (singles <= mostSingles * views.length) return;
  findings.add(
    'Page views with a single exposure, nearly all: is the column of page views the right one?',
    undefined,
    singles,
  );
}

/** An item shown twice in a page view, or once as shown and once as clicked, is one candidate. */
function distinctItems(rows: readonly LogRow[], findings: Findings): LogRow[] {
  const distinct = new Map<number, LogRow>();
  for (const row of rows) {
    const known = distinct.get(row.item);
    if (known !== undefined) findings.add('Rows of an item already in its page view, merged into one');
    distinct.set(row.item, known === undefined ? row : merged(known, row));
  }
  return [...distinct.values()];
}

/** Shown when it was shown first, and clicked when it was clicked first. */
function merged(first: LogRow, second: LogRow): LogRow {
  const clicked = [first, second].filter((row) => row.clicked);
  return {
    ...first,
    time: Math.min(first.time, second.time),
    clicked: clicked.length > 0,
    clickedAt: clicked.reduce((earliest, row) => Math.min(earliest, row.clickedAt), Number.POSITIVE_INFINITY),
  };
}

function describeExposures(candidates: readonly LogRow[], options: TableOptions): SourceExposures {
  return {
    item: Int32Array.from(candidates, ({ item }) => item),
    clicked: Uint8Array.from(candidates, ({ clicked }) => (clicked ? 1 : 0)),
    numeric: options.log.numeric.map((name, column) => ({
      name,
      values: Float64Array.from(candidates, ({ numeric }) => numeric[column]!),
    })),
  };
}

/** @param firstRows the row of each page view that its user and its context are taken from. (P) */
function describePageViews(
  firstRows: readonly LogRow[],
  times: readonly number[],
  start: Int32Array,
  options: TableOptions,
): SourcePageViews {
  const time = Float64Array.from(times);
  return {
    user: Int32Array.from(firstRows, ({ user }) => user),
    time,
    split: splitByTime(time, splitTimes(options, time)),
    start,
    context: options.log.context.map((name, column) => ({
      name,
      values: firstRows.map(({ context }) => context[column] ?? null),
    })),
  };
}

function splitTimes({ validationFrom, testFrom }: TableOptions, time: Float64Array): SplitTimes {
  if (validationFrom === undefined || testFrom === undefined) return quantileSplitTimes(time);
  return {
    validationFrom: parseTime(validationFrom) ?? Number.NaN,
    testFrom: parseTime(testFrom) ?? Number.NaN,
  };
}
