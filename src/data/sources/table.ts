/** Adapter for a click log, a catalogue and a folder of photos, whose columns a user names or puts together by SQL. */
import { basename, extname } from 'node:path';
import { Random } from '../../random.ts';
import { eventsInOrder } from '../clicks.ts';
import { type CategoricalColumn, NONE, type SplitTimes } from '../dataset.ts';
import { Findings } from '../findings.ts';
import { Indexer } from '../indexer.ts';
import { defaultCandidates } from './candidate-options.ts';
import { filesOfInput, isQuery } from './input-files.ts';
import { findFarTimes, findHeavyIds } from './log-findings.ts';
import { readPurchases, readShownRows } from './log-page-views.ts';
import type { LogRows } from './log-row.ts';
import { mergeRows } from './merged-rows.ts';
import { inputsOfPhotos } from './open-photos.ts';
import { samplePageViews } from './sampled-page-views.ts';
import type { Source, SourceContext, SourceData, SourcePageViews } from './source.ts';
import { openCatalogue } from './table-catalogue.ts';
import { type CodedLog, withLog } from './table-log.ts';
import { type TableOptions, tableOptions } from './table-options.ts';
import { parseTime } from './time.ts';

export const tableSource: Source<TableOptions> = {
  options: tableOptions,
  name: ({ log }) => (isQuery(log.path) ? 'query' : basename(log.path, extname(log.path))),
  async inputs({ log, catalogue, images }) {
    const named = [log.path, catalogue?.path].filter((path) => path !== undefined);
    const files = [];
    for (const input of named) files.push(...(await filesOfInput(input)));
    return [...files, ...(images === undefined ? [] : await inputsOfPhotos(images))];
  },
  async read(options, context): Promise<SourceData> {
    const findings = new Findings();
    const users = new Indexer(context.before?.users);
    const catalogue = await openCatalogue(options, context, findings);
    const indexers = { users, items: catalogue.items };
    const isPurchaseLog = options.log.clicked === undefined;
    const views = await withLog(options.log, indexers, context, findings, (log) =>
      isPurchaseLog
        ? sampledViews(log, options, context, findings)
        : exposedViews(log, options, context, indexers.items, findings),
    );
    const { rows, data, timeMeaning } = views;
    findHeavyIds(rows, indexers, findings);
    findFarTimes(rows, findings);
    const described = catalogue.describe(rows, findings);
    return {
      users: users.ids,
      items: described.items,
      understood: [understoodTimes(rows, options.log.time, timeMeaning), ...described.understood],
      categoryNames: options.catalogue?.categories ?? [],
      ...data,
      counterPeriod,
      candidatesAreSampled: isPurchaseLog,
      findings: findings.list(),
    };
  },
};

/** What becomes of a log: its usable rows, and page views of them. */
interface Views {
  readonly rows: LogRows;
  readonly timeMeaning: string;
  readonly data: Pick<
    SourceData,
    'clicks' | 'shown' | 'pageViews' | 'exposures' | 'history' | 'candidateSampling'
  >;
}

/** A log of this kind knows moments: a counter may use all that came before. */
const counterPeriod = 1;

async function sampledViews(
  log: CodedLog,
  options: TableOptions,
  { seed, signal }: SourceContext,
  findings: Findings,
): Promise<Views> {
  const { timeMeaning } = log;
  const rows = await readPurchases(log, options.log, findings, signal);
  const clicks = { user: rows.user, item: rows.item, time: rows.time };
  const { target, start, item, clicked, sampling } = samplePageViews(
    clicks,
    counterPeriod,
    options.candidates ?? defaultCandidates,
    Random.seeded(seed, 'candidates'),
    findings,
  );
  const pageViews = describePageViews(rows, target, rows.time, start, log, options);
  const exposures = { item, clicked, logged: null, numeric: [] };
  return {
    rows,
    timeMeaning,
    data: { clicks, shown: null, pageViews, exposures, history: null, candidateSampling: sampling },
  };
}

async function exposedViews(
  log: CodedLog,
  options: TableOptions,
  { signal, historyLength }: SourceContext,
  items: Indexer,
  findings: Findings,
): Promise<Views> {
  const { timeMeaning } = log;
  const { pageView, pageViewMinutes, numeric } = options.log;
  const longest = 60_000 * pageViewMinutes;
  const shown = await readShownRows(log, options.log, longest, pageView !== undefined, findings, signal);
  const { rows, start } = mergeRows(shown, findings);
  findSingles(start, findings);
  findMixedContexts(rows, start, options.log.context, findings);
  findManyClicks(rows, options.log.clicked ?? '', findings);
  const clickedRows = Int32Array.from(rows.clicked.keys()).filter((row) => rows.clicked[row] === 1);
  const ofClicks = (values: Int32Array | Float64Array) => clickedRows.map((row) => values[row]!);
  const pageViews = describePageViews(rows, start.subarray(0, -1), rows.viewTime, start, log, options);
  const { item, clicked, row, time, clickedAt } = rows;
  const firsts = Float64Array.from(start.subarray(0, -1), (first) => row[first]! - 1);
  const history =
    options.log.history === undefined
      ? null
      : await givenHistories(log, firsts, options.log.historyNewest, historyLength, items);
  return {
    rows,
    timeMeaning,
    data: {
      clicks: eventsInOrder(
        ofClicks(rows.user),
        ofClicks(rows.item),
        Float64Array.from(clickedRows, (row) => clickedAt[row]!),
      ),
      shown: eventsInOrder(rows.user, item, time),
      pageViews,
      exposures: {
        item,
        clicked,
        logged: { row, time, clickedAt },
        numeric: numeric.map((name, column) => ({ name, values: rows.numeric[column]! })),
      },
      history,
      candidateSampling: 'exposed by the shop',
    },
  };
}

/** @param rows of the log, one of each page view. @returns newest first, each item once, padded with NONE (P, H) */
async function givenHistories(
  log: CodedLog,
  rows: Float64Array,
  newest: 'last' | 'first',
  length: number,
  items: Indexer,
): Promise<Int32Array> {
  const history = new Int32Array(rows.length * length).fill(NONE);
  await log.historiesOf(rows, (view, ids) => {
    const ordered = newest === 'first' ? ids : ids.toReversed();
    const kept = [...new Set(ordered)].slice(0, length);
    for (const [place, id] of kept.entries()) history[view * length + place] = items.indexOf(id);
  });
  return history;
}

/** In words: what the times are, and from when to when they go. */
function understoodTimes({ time }: LogRows, column: string, meaning: string): string {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const each of time) {
    first = Math.min(first, each);
    last = Math.max(last, each);
  }
  const text = (moment: number) => new Date(moment).toISOString().slice(0, 19).replace('T', ' ');
  return `Times: ${column} as ${meaning}, from ${text(first)} to ${text(last)} UTC`;
}

/** Share of page views with a single exposure from which on they are told of. */
const mostSingles = 0.9;

/** @param start of each page view, and the end. (P + 1) */
function findSingles(start: Int32Array, findings: Findings): void {
  const count = start.length - 1;
  let singles = 0;
  for (let view = 0; view < count; view++) if (start[view + 1]! - start[view]! === 1) singles++;
  if (singles <= mostSingles * count) return;
  findings.add(
    'Page views with a single exposure, nearly all: is the column of page views the right one?',
    undefined,
    singles,
  );
}

/** A context is one of the page view: of values that differ within one the first is taken. */
function findMixedContexts(
  { context }: LogRows,
  start: Int32Array,
  names: readonly string[],
  findings: Findings,
): void {
  for (const [column, name] of names.entries()) {
    const codes = context[column]!;
    let mixed = 0;
    for (let view = 0; view + 1 < start.length; view++) {
      const first = codes[start[view]!];
      for (let row = start[view]! + 1; row < start[view + 1]!; row++) {
        if (codes[row] === first) continue;
        mixed++;
        break;
      }
    }
    findings.add(
      `Page views in which ${name} differs, of which the first is taken: is it a context of the page view, and not of the exposure?`,
      undefined,
      mixed,
    );
  }
}

/** Share of clicks from which on the labels may be the wrong way round. */
const mostClicked = 0.6;

function findManyClicks({ clicked }: LogRows, name: string, findings: Findings): void {
  const clicks = clicked.reduce((sum, each) => sum + each, 0);
  if (clicks <= mostClicked * clicked.length) return;
  findings.add(
    `Clicks, more than the half of all exposures: does ${name} say what was clicked, and not what was shown?`,
    undefined,
    clicks,
  );
}

/**
 * @param first the row of each page view that its user and its context are taken from. (P)
 * @param time of the page view of each row
 */
function describePageViews(
  rows: LogRows,
  first: Int32Array,
  time: Float64Array,
  start: Int32Array,
  { contextTexts }: CodedLog,
  options: TableOptions,
): SourcePageViews {
  return {
    user: first.map((row) => rows.user[row]!),
    time: Float64Array.from(first, (row) => time[row]!),
    splitTimes: splitTimesOf(options),
    start,
    context: options.log.context.map((name, column): CategoricalColumn => {
      const codes = rows.context[column]!;
      return { name, values: contextTexts[column]!, codes: first.map((row) => codes[row]!) };
    }),
  };
}

function splitTimesOf({ validationFrom, testFrom }: TableOptions): SplitTimes | null {
  if (validationFrom === undefined || testFrom === undefined) return null;
  return {
    validationFrom: parseTime(validationFrom) ?? Number.NaN,
    testFrom: parseTime(testFrom) ?? Number.NaN,
  };
}
