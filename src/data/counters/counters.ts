/**
 * What is known of a candidate without looking at its photo, from events in any order, while serving. A dataset's columns are made by the
 * same tables, over a whole log (shares/counter-share.ts).
 */
import { type CountedCategory, CounterTables } from './counter-tables.ts';
import type { EventKind } from './decayed-counts.ts';
import { type CounterEvent, DelayedEvents } from './delayed-events.ts';
import { doublesOf, named, partOf, type StateArrays } from './state-arrays.ts';

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

export interface CounterOptions extends CounterSettings {
  readonly categories: readonly CountedCategory[];
}

/** Before which time events are known at a time: to the counters that users share, and to those of a user alone. Milliseconds. */
export function knownAt(time: number, { lag, period }: CounterSettings) {
  return { shared: Math.floor(time / period) * period - lag, own: time - lag };
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
  readonly #tables: CounterTables;
  /** Until the counters that users share may know them. */
  readonly #shared = new DelayedEvents();
  /** Until those of a user alone may. */
  readonly #own = new DelayedEvents();
  #time = Number.NEGATIVE_INFINITY;
  /** Whether there may be events that are known at that time and were not taken. */
  #hasNews = true;

  constructor(options: CounterOptions) {
    const { categories, withExposures } = options;
    this.#options = options;
    this.#tables = new CounterTables(categories, withExposures);
    this.names = this.#tables.columns.names;
  }

  /** Takes note of an event, in any order; it counts from its time and the lag on. */
  observe(event: CounterEvent): void {
    this.#shared.add(event);
    this.#own.add(event);
    this.#hasNews = true;
  }

  /** The latest time that was described, which no later call may be before; −∞ before any. Milliseconds. */
  get time(): number {
    return this.#time;
  }

  /** All that it knows, and the events on their way: what `restore` puts back. */
  state(): StateArrays {
    return new Map([
      ['time', Float64Array.of(Number.isFinite(this.#time) ? this.#time : -Number.MAX_VALUE)],
      ...named('shared', this.#shared.state()),
      ...named('own', this.#own.state()),
      ...this.#tables.state(),
    ]);
  }

  /**
   * Puts a state into counters that have observed nothing, of the same settings and categories. Others have their turn meanwhile.
   * @throws Error for a state that cannot be
   */
  async restore(state: StateArrays): Promise<void> {
    await this.#shared.restore(partOf(state, 'shared'));
    await this.#own.restore(partOf(state, 'own'));
    await this.#tables.restore(state);
    const [time = Number.NaN] = await doublesOf(state, 'time');
    if (Number.isNaN(time)) throw new Error('there is no time');
    this.#time = time;
    this.#hasNews = true;
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
    if (time < this.#time)
      throw new Error(`Counters at ${this.#time} cannot tell what was known at ${time}.`);
    if (this.#hasNews || time !== this.#time) this.#takeUntil(time);
    this.#tables.describe(candidate, user, time, known);
    return known;
  }

  #takeUntil(time: number): void {
    const { shared, own } = knownAt(time, this.#options);
    this.#shared.take(shared, this.#addShared);
    this.#own.take(own, this.#addOwn);
    this.#time = time;
    this.#hasNews = false;
  }

  readonly #addShared = (kind: EventKind, _user: number, item: number, time: number): void => {
    this.#tables.addShared(kind, item, time);
  };

  readonly #addOwn = (kind: EventKind, user: number, item: number, time: number): void => {
    this.#tables.addOwn(kind, user, item, time);
  };
}
