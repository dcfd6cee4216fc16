/**
 * What is known of a candidate without looking at its photo, from counters that need O(1) memory a key. The same state makes
 * the columns of a dataset in one pass over time, and can be carried on while serving.
 */

import { type CategoricalColumn, NONE } from '../dataset.ts';
import { countNames, noRates, type Rates, ratesOf, ratesOfAll, writeCounts } from './count-columns.ts';
import { type Counts, DecayedCounts, type EventKind, ever, noCounts } from './decayed-counts.ts';
import { type CounterEvent, DelayedEvents } from './delayed-events.ts';
import { GrowingRows } from './growing-rows.ts';
import { OwnPast, ownPastNames } from './own-past.ts';
import { PairIndex } from './pair-index.ts';
import { doublesOf, named, partOf, type StateArrays } from './state-arrays.ts';

const day = 86_400_000;

/** What counters are told and when they know it. */
export interface CounterSettings {
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

/** The codes of items in a category; they are looked up anew for each item, so that they may grow. */
export type CountedCategory = Pick<CategoricalColumn, 'name' | 'codes'>;

export interface CounterOptions extends CounterSettings {
  readonly categories: readonly CountedCategory[];
}

/** A category column with its counters: of each value, and of each user with it. */
interface CategoryCounters {
  readonly column: CountedCategory;
  readonly values: DecayedCounts;
  readonly pairs: PairIndex;
  readonly ofUsers: DecayedCounts;
}

/** The only key of the counter of everything. */
const everything = 0;

/** What is the same for all candidates of a user at a time: counts and rates of everything, and of the user. */
interface Moment {
  /** null before anything was described, and when there are new events. */
  user: number | null;
  time: number;
  /** Those of the user. */
  readonly counts: Counts;
  readonly all: Rates;
  readonly ofUser: Rates;
  /** The columns of the user. */
  readonly columns: Float64Array;
}

/**
 * Counters of exposures and clicks: of the item, the user, each category value, and the user with it; and what happened before
 * to the candidate with this user. An event counts for times later than its own, plus the lag: events of one time do not see
 * each other. An unknown category value counts nothing.
 */
export class Counters {
  /** What `describe` returns, in its order. */
  readonly names: readonly string[];
  readonly #options: CounterOptions;
  /** Until the counters that users share may know them. */
  readonly #shared = new DelayedEvents();
  /** Until those of a user alone may. */
  readonly #own = new DelayedEvents();
  readonly #all = new DecayedCounts();
  readonly #items = new DecayedCounts();
  /** 1 and the time of the first click, of each item that was clicked. */
  readonly #firstClicks = new GrowingRows(2);
  readonly #users = new DecayedCounts();
  readonly #categories: readonly CategoryCounters[];
  readonly #past = new OwnPast();
  readonly #moment: Moment = {
    user: null,
    time: Number.NEGATIVE_INFINITY,
    counts: noCounts(),
    all: noRates(),
    ofUser: noRates(),
    columns: new Float64Array(countNames('', true).length),
  };
  /** How many columns of counts a subject has. */
  readonly #width: number;
  readonly #counts = noCounts();
  readonly #rates = noRates();

  constructor(options: CounterOptions) {
    const { categories, withExposures } = options;
    this.#options = options;
    this.#width = countNames('', withExposures).length;
    this.#categories = categories.map((column) => ({
      column,
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
    this.#shared.add(event);
    this.#own.add(event);
    this.#moment.user = null;
  }

  /** The latest time that was described, which no later call may be before; −∞ before any. Milliseconds. */
  get time(): number {
    return this.#moment.time;
  }

  /** All that it knows, and the events on their way: what `restore` puts back. */
  state(): StateArrays {
    return new Map([
      ['time', Float64Array.of(Number.isFinite(this.time) ? this.time : -Number.MAX_VALUE)],
      ...named('shared', this.#shared.state()),
      ...named('own', this.#own.state()),
      ...named('all', this.#all.state()),
      ...named('items', this.#items.state()),
      ...named('first', this.#firstClicks.state()),
      ...named('users', this.#users.state()),
      ...named('past', this.#past.state()),
      ...this.#categories.flatMap(({ column: { name }, values, pairs, ofUsers }) => [
        ...named(`category/${name}/values`, values.state()),
        ...named(`category/${name}/pairs`, pairs.state()),
        ...named(`category/${name}/users`, ofUsers.state()),
      ]),
    ]);
  }

  /**
   * Puts a state into counters that have observed nothing, of the same settings and categories. Others have their turn meanwhile.
   * @throws Error for a state that cannot be
   */
  async restore(state: StateArrays): Promise<void> {
    await this.#shared.restore(partOf(state, 'shared'));
    await this.#own.restore(partOf(state, 'own'));
    await this.#all.restore(partOf(state, 'all'));
    await this.#items.restore(partOf(state, 'items'));
    await this.#firstClicks.restore(partOf(state, 'first'));
    await this.#users.restore(partOf(state, 'users'));
    await this.#past.restore(partOf(state, 'past'));
    for (const { column, values, pairs, ofUsers } of this.#categories) {
      await values.restore(partOf(state, `category/${column.name}/values`));
      await pairs.restore(partOf(state, `category/${column.name}/pairs`));
      await ofUsers.restore(partOf(state, `category/${column.name}/users`));
    }
    const [time = Number.NaN] = await doublesOf(state, 'time');
    if (Number.isNaN(time)) throw new Error('there is no time');
    this.#moment.user = null;
    this.#moment.time = time;
  }

  /**
   * What is known of a candidate for a user, from events before a time: the values of `names`.
   * @param candidate index into the catalogue
   * @param user index into users, NONE for one that is not known
   * @param time milliseconds, no earlier than that of the last call
   * @param known where to write them. (F)
   */
  describe(
    candidate: number,
    user: number,
    time: number,
    known: Float64Array = new Float64Array(this.names.length),
  ): Float64Array {
    const moment = this.#advance(user, time);
    const { withExposures } = this.#options;
    const counts = this.#counts;
    this.#items.read(candidate, time, counts);
    let at = this.#writeBelow(known, 0, moment.all);
    at = this.#writeAge(known, at, candidate, time);
    for (let place = 0; place < this.#width; place++) known[at++] = moment.columns[place]!;
    for (const { column, values, pairs, ofUsers } of this.#categories) {
      const code = codeOf(column.codes, candidate);
      values.read(code, time, counts);
      at = this.#writeBelow(known, at, moment.all);
      ofUsers.read(pairs.find(user, code), time, counts);
      at = this.#writeBelow(known, at, moment.ofUser);
      known[at++] = counts.clicks[ever]! > 0 ? 1 : 0;
    }
    this.#past.write(known, at, user, candidate, time, withExposures);
    return known;
  }

  /** Writes the counts that were read last. @param above the rates one level up */
  #writeBelow(known: Float64Array, at: number, above: Rates): number {
    if (!this.#options.withExposures) return writeCounts(known, at, this.#counts, null);
    ratesOf(this.#counts, above, this.#rates);
    return writeCounts(known, at, this.#counts, this.#rates);
  }

  /** Writes the values of `cold` and `item_age_days_log`. */
  #writeAge(known: Float64Array, at: number, item: number, time: number): number {
    const row = this.#firstClicks.find(item);
    const isClicked = row !== null && this.#firstClicks.values[row] === 1;
    known[at] = isClicked ? 0 : 1;
    known[at + 1] = isClicked ? Math.log1p((time - this.#firstClicks.values[row + 1]!) / day) : 0;
    return at + 2;
  }

  #advance(user: number, time: number): Moment {
    const moment = this.#moment;
    if (time < moment.time)
      throw new Error(`Counters at ${moment.time} cannot tell what was known at ${time}.`);
    if (time === moment.time && user === moment.user) return moment;
    const { lag, period } = this.#options;
    this.#shared.take(Math.floor(time / period) * period - lag, this.#addShared);
    this.#own.take(time - lag, this.#addOwn);
    ratesOfAll(this.#all.read(everything, time, moment.counts), moment.all);
    ratesOf(this.#users.read(user, time, moment.counts), moment.all, moment.ofUser);
    writeCounts(moment.columns, 0, moment.counts, this.#options.withExposures ? moment.ofUser : null);
    moment.user = user;
    moment.time = time;
    return moment;
  }

  readonly #addShared = (kind: EventKind, _user: number, item: number, time: number): void => {
    this.#all.add(everything, kind, time);
    this.#items.add(item, kind, time);
    for (const { column, values } of this.#categories) {
      const code = codeOf(column.codes, item);
      if (code !== NONE) values.add(code, kind, time);
    }
    if (kind === 'exposure') return;
    const row = this.#firstClicks.place(item);
    const { values } = this.#firstClicks;
    values[row + 1] = values[row] === 1 ? Math.min(values[row + 1]!, time) : time;
    values[row] = 1;
  };

  readonly #addOwn = (kind: EventKind, user: number, item: number, time: number): void => {
    this.#users.add(user, kind, time);
    for (const { column, pairs, ofUsers } of this.#categories) {
      const code = codeOf(column.codes, item);
      if (code !== NONE) ofUsers.add(pairs.add(user, code), kind, time);
    }
    this.#past.add(kind, user, item, time);
  };
}

/** The code of an item's category value, NONE for an unknown one. */
function codeOf(codes: Int32Array, item: number): number {
  const code = codes[item]!;
  return code === 0 ? NONE : code;
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
