/**
 * What is known of a candidate without looking at its photo, from counters that need O(1) memory a key. The same state makes
 * the columns of a dataset in one pass over time, and can be carried on while serving.
 */
import { countNames, pushCounts, ratesOf, ratesOfAll } from './count-columns.ts';
import { type CategoricalColumn, NONE } from './dataset.ts';
import { DecayedCounts, ever } from './decayed-counts.ts';
import { type CounterEvent, DelayedEvents } from './delayed-events.ts';
import { GrowingRows } from './growing-rows.ts';
import { OwnPast, ownPastNames } from './own-past.ts';
import { PairIndex } from './pair-index.ts';

const day = 86_400_000;

export interface CounterOptions {
  readonly categories: readonly CategoricalColumn[];
  /** Whether exposures are observed. Without them clicks alone are counted, and there are no rates. */
  readonly withExposures: boolean;
  /** An event counts this long after it happened. Milliseconds. */
  readonly lag: number;
  /**
   * Counters that users share know only the periods of this length before the one described: a day for a log that knows
   * days only, 1 for one that knows moments. Milliseconds.
   */
  readonly period: number;
}

/** A category column with its counters: of each value, and of each user with it. */
interface CategoryCounters {
  readonly codes: Int32Array;
  readonly values: DecayedCounts;
  readonly pairs: PairIndex;
  readonly ofUsers: DecayedCounts;
}

/** Who takes events out of the queue: counters that users share, and those of a user alone. */
const [shared, own] = [0, 1];

/** The only key of the counter of everything. */
const everything = 0;

/**
 * Counters of exposures and clicks: of the item, the user, each category value, and the user with it; and what happened before
 * to the candidate with this user. An event counts for times later than its own, plus the lag: events of one time do not see
 * each other. An unknown category value counts nothing.
 */
export class Counters {
  /** What `describe` returns, in its order. */
  readonly names: readonly string[];
  readonly #options: CounterOptions;
  readonly #events = new DelayedEvents(2);
  readonly #all = new DecayedCounts();
  readonly #items = new DecayedCounts();
  /** 1 and the time of the first click, of each item that was clicked. */
  readonly #firstClicks = new GrowingRows(2);
  readonly #users = new DecayedCounts();
  readonly #categories: readonly CategoryCounters[];
  readonly #past = new OwnPast();
  #now = Number.NEGATIVE_INFINITY;

  constructor(options: CounterOptions) {
    const { categories, withExposures } = options;
    this.#options = options;
    this.#categories = categories.map(({ codes }) => ({
      codes,
      values: new DecayedCounts(),
      pairs: new PairIndex(),
      ofUsers: new DecayedCounts(),
    }));
    this.names = [
      ...countNames('item', withExposures),
      'cold',
      'item_age_days_log',
      ...countNames('user', withExposures),
      ...categories.flatMap(({ name }) => categoryNames(name, withExposures)),
      ...ownPastNames(withExposures),
    ];
  }

  /** Takes note of an event, in any order; it counts from its time and the lag on. */
  observe(event: CounterEvent): void {
    this.#events.add(event);
  }

  /**
   * What is known of a candidate for a user, from events before a time: the values of `names`.
   * @param candidate index into the catalogue
   * @param user index into users
   * @param time milliseconds, no earlier than that of the last call
   */
  describe(candidate: number, user: number, time: number): number[] {
    this.#advance(time);
    const { withExposures } = this.#options;
    const above = withExposures ? ratesOfAll(this.#all.read(everything, time)) : null;
    const ofUser = this.#users.read(user, time);
    const userRates = ratesOf(ofUser, above);
    const known: number[] = [];
    const ofItem = this.#items.read(candidate, time);
    pushCounts(known, ofItem, ratesOf(ofItem, above));
    known.push(...this.#age(candidate, time));
    pushCounts(known, ofUser, userRates);
    for (const { codes, values, pairs, ofUsers } of this.#categories) {
      const code = codeOf(codes, candidate);
      const ofValue = values.read(code, time);
      pushCounts(known, ofValue, ratesOf(ofValue, above));
      const ofBoth = ofUsers.read(pairs.find(user, code), time);
      pushCounts(known, ofBoth, ratesOf(ofBoth, userRates));
      known.push(ofBoth.clicks[ever]! > 0 ? 1 : 0);
    }
    known.push(...this.#past.describe(user, candidate, time, withExposures));
    return known;
  }

  /** The values of `cold` and `item_age_days_log`. */
  #age(item: number, time: number): number[] {
    const [clicked, first] = this.#firstClicks.read(item);
    return clicked === 1 ? [0, Math.log1p((time - first!) / day)] : [1, 0];
  }

  #advance(time: number): void {
    if (time < this.#now) throw new Error(`Counters at ${this.#now} cannot tell what was known at ${time}.`);
    this.#now = time;
    const { lag, period } = this.#options;
    this.#events.take(shared, Math.floor(time / period) * period - lag, (event) => this.#addShared(event));
    this.#events.take(own, time - lag, (event) => this.#addOwn(event));
  }

  #addShared({ kind, item, time }: CounterEvent): void {
    this.#all.add(everything, kind, time);
    this.#items.add(item, kind, time);
    for (const { codes, values } of this.#categories) {
      const code = codeOf(codes, item);
      if (code !== NONE) values.add(code, kind, time);
    }
    if (kind === 'exposure') return;
    const row = this.#firstClicks.write(item);
    row[1] = row[0] === 1 ? Math.min(row[1]!, time) : time;
    row[0] = 1;
  }

  #addOwn(event: CounterEvent): void {
    const { kind, user, item, time } = event;
    this.#users.add(user, kind, time);
    for (const { codes, pairs, ofUsers } of this.#categories) {
      const code = codeOf(codes, item);
      if (code !== NONE) ofUsers.add(pairs.add(user, code), kind, time);
    }
    this.#past.add(event);
  }
}

/** The code of an item's category value, NONE for an unknown one. */
function codeOf(codes: Int32Array, item: number): number {
  return codes[item]! === 0 ? NONE : codes[item]!;
}

function categoryNames(name: string, withExposures: boolean): string[] {
  return [
    ...countNames(name, withExposures),
    ...countNames(`user_${name}`, withExposures),
    `${name}_in_history`,
  ];
}

/** The columns that come from a category; without exposures those of rates and exposures are not there. */
export function columnsOfCategory(name: string): string[] {
  return categoryNames(name, true);
}
