/**
 * All that a user clicked before a page view, far beyond the history that is kept with it. It is looked up in the clicks
 * of each user, which lie in the dataset once: a thousand items with every page view would be a thousand times as many.
 */
import { groupRows } from '../groups.ts';
import { type Clicks, eventsInOrder, lowerBound } from './clicks.ts';
import { type ExposureTable, type FeatureData, NONE, type PageViews } from './dataset.ts';

/** Items of a long history at most, as in the public data of MUSE (arXiv 2512.07216, "Open-source-1k"). */
export const longHistoryLength = 1000;

/** The rows of exposures that were clicked, ascending. (C) */
export function clickedRows({ clicked }: Pick<ExposureTable, 'clicked'>): Int32Array {
  const rows = new Int32Array(clicked.reduce((sum, each) => sum + each, 0));
  for (let row = 0, next = 0; row < clicked.length; row++) if (clicked[row] === 1) rows[next++] = row;
  return rows;
}

/**
 * What exposures say was clicked, in the order of time.
 * @param rows those that were clicked, ascending. (C)
 * @param clickedAt when, in milliseconds (C); null: at the time of their page views
 */
export function clicksOfExposures(
  { user, time, start }: Pick<PageViews, 'user' | 'time' | 'start'>,
  { item }: Pick<ExposureTable, 'item'>,
  rows: Int32Array,
  clickedAt: Float64Array | null,
): Clicks {
  let view = 0;
  const viewOf = rows.map((row) => {
    while (start[view + 1]! <= row) view++;
    return view;
  });
  return eventsInOrder(
    viewOf.map((each) => user[each]!),
    rows.map((row) => item[row]!),
    clickedAt ?? Float64Array.from(viewOf, (each) => time[each]!),
  );
}

export class LongHistories {
  readonly #pageViews: PageViews;
  /** Where the clicks of each user begin in what follows, in the order of time. (U + 1) */
  readonly #start: Int32Array;
  readonly #item: Int32Array;
  readonly #time: Float64Array;
  /** Of the page view that was asked for last. */
  readonly #kept: Int32Array;
  #length = 0;
  #view = NONE;

  /** @param length items at most */
  constructor({ pageViews, clicks }: Pick<FeatureData, 'pageViews' | 'clicks'>, length = longHistoryLength) {
    const largest = (users: Int32Array) => users.reduce((most, user) => Math.max(most, user), NONE);
    const users = 1 + Math.max(largest(pageViews.user), largest(clicks.user));
    const { start, rows } = groupRows(clicks.user, users);
    this.#pageViews = pageViews;
    this.#start = start;
    this.#item = rows.map((row) => clicks.item[row]!);
    this.#time = Float64Array.from(rows, (row) => clicks.time[row]!);
    this.#kept = new Int32Array(length);
  }

  /**
   * The history that the page view has, and behind it what else its user clicked strictly before, newest first; each item once.
   * So of a log whose clicks are all in its exposures it is the newest distinct clicks, as histories are; what only came with
   * a row (`log.history`), or was bought before there were page views, is there as far as histories are kept.
   * @returns at most the length; to be read before the next call
   */
  before(pageView: number): Int32Array {
    if (pageView !== this.#view) this.#lookUp(pageView);
    return this.#kept.subarray(0, this.#length);
  }

  #lookUp(pageView: number): void {
    const { user, time, history, historyLength } = this.#pageViews;
    const seen = new Set<number>();
    const take = (item: number) => {
      if (item === NONE || seen.has(item)) return;
      this.#kept[seen.size] = item;
      seen.add(item);
    };
    const whole = this.#kept.length;
    const own = history.subarray(pageView * historyLength, (pageView + 1) * historyLength);
    for (let place = 0; place < own.length && seen.size < whole; place++) take(own[place]!);
    const from = this.#start[user[pageView]!]!;
    const to = this.#start[user[pageView]! + 1]!;
    const end = lowerBound((position) => this.#time[position]!, time[pageView]!, from, to);
    for (let position = end - 1; position >= from && seen.size < whole; position--)
      take(this.#item[position]!);
    this.#length = seen.size;
    this.#view = pageView;
  }
}
