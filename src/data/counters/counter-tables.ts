/**
 * What counters know, from counters that need O(1) memory a key: of everything, of each item, of each category value, of each user, and of
 * each user with a category value and with an item.
 */
import { type CategoricalColumn, NONE } from '../dataset.ts';
import { countNames, noRates, type Rates, ratesOf, ratesOfAll, writeCounts } from './count-columns.ts';
import { DecayedCounts, type EventKind, ever, noCounts } from './decayed-counts.ts';
import { GrowingRows } from './growing-rows.ts';
import { OwnPast, ownPastNames } from './own-past.ts';
import { PairIndex } from './pair-index.ts';
import { named, partOf, type StateArrays } from './state-arrays.ts';

const day = 86_400_000;

/** The codes of items in a category; they are looked up anew for each item, so that they may grow. */
export type CountedCategory = Pick<CategoricalColumn, 'name' | 'codes'>;

/** Keys of which tables count: those that leave `place` when they are divided by `of`. */
export interface Share {
  readonly place: number;
  readonly of: number;
}

/** All keys are in one share. */
const everyKey: Share = { place: 0, of: 1 };

/** Whose keys columns are of: the user, the candidate, or its value in the category of this place. */
export type KeyKind = 'user' | 'item' | number;

/** Columns that are of the keys of one kind, and so known to one share for a candidate. */
export interface ColumnGroup {
  readonly of: KeyKind;
  /** Places of the columns. */
  readonly columns: readonly number[];
}

/** A category column with its counters: of each value, and of each user with it. */
interface CategoryTables {
  readonly column: CountedCategory;
  readonly values: DecayedCounts;
  readonly pairs: PairIndex;
  readonly ofUsers: DecayedCounts;
}

/** The columns of counters, in their order, and how they are divided among shares. */
export interface CounterColumns {
  readonly names: readonly string[];
  readonly groups: readonly ColumnGroup[];
}

/** The key of an exposure that decides which share has its columns of a kind. */
export function keyOf(
  of: KeyKind,
  user: number,
  candidate: number,
  categories: readonly CountedCategory[],
): number {
  if (of === 'user') return user;
  return of === 'item' ? candidate : givenCode(categories[of]!, candidate);
}

/** The only key of the counter of everything. */
const everything = 0;

/**
 * Counters of exposures and clicks, which are told of each event twice: when those that users share may know it, and when those of
 * its user may. Tables of a share hold its keys alone, and everything together; what is of other keys they neither need nor write.
 */
export class CounterTables {
  readonly columns: CounterColumns;
  readonly #withExposures: boolean;
  readonly #share: Share;
  readonly #all = new DecayedCounts();
  readonly #items = new DecayedCounts();
  /** 1 and the time of the first click, of each item that was clicked. */
  readonly #firstClicks = new GrowingRows(2);
  readonly #users = new DecayedCounts();
  readonly #categoryColumns: readonly CountedCategory[];
  readonly #categories: readonly CategoryTables[];
  readonly #past = new OwnPast();
  /** How many columns of counts a subject has. */
  readonly #width: number;
  readonly #counts = noCounts();
  readonly #rates = noRates();
  /** What is the same for all candidates of a user at a time. */
  readonly #moment = {
    isKnown: false,
    user: NONE,
    time: Number.NEGATIVE_INFINITY,
    all: noRates(),
    ofUser: noRates(),
    /** The columns of the user. */
    columns: new Float64Array(countNames('', true).length),
  };

  constructor(categories: readonly CountedCategory[], withExposures: boolean, share: Share = everyKey) {
    this.#withExposures = withExposures;
    this.#share = share;
    this.#width = countNames('', withExposures).length;
    this.#categories = categories.map((column) => ({
      column,
      values: new DecayedCounts(),
      pairs: new PairIndex(),
      ofUsers: new DecayedCounts(),
    }));
    this.#categoryColumns = categories;
    this.columns = counterColumns(categories, withExposures);
  }

  /** All that they know, by name. */
  state(): StateArrays {
    return new Map([
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

  /** Puts a state into empty tables of the same categories. @throws Error for a state that cannot be */
  async restore(state: StateArrays): Promise<void> {
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
    this.#moment.isKnown = false;
  }

  /** An event that the counters that users share may know. */
  addShared(kind: EventKind, item: number, time: number): void {
    this.#moment.isKnown = false;
    this.#all.add(everything, kind, time);
    for (const { column, values } of this.#categories) {
      const code = codeOf(column, item);
      if (code !== NONE && isOf(this.#share, code)) values.add(rowOf(this.#share, code), kind, time);
    }
    if (!isOf(this.#share, item)) return;
    const key = rowOf(this.#share, item);
    this.#items.add(key, kind, time);
    if (kind === 'exposure') return;
    const row = this.#firstClicks.place(key);
    const { values } = this.#firstClicks;
    values[row + 1] = values[row] === 1 ? Math.min(values[row + 1]!, time) : time;
    values[row] = 1;
  }

  /** An event that the counters of its user may know. */
  addOwn(kind: EventKind, user: number, item: number, time: number): void {
    if (!isOf(this.#share, user)) return;
    this.#moment.isKnown = false;
    const key = rowOf(this.#share, user);
    this.#users.add(key, kind, time);
    for (const { column, pairs, ofUsers } of this.#categories) {
      const code = codeOf(column, item);
      if (code !== NONE) ofUsers.add(pairs.add(key, code), kind, time);
    }
    this.#past.add(kind, key, item, time);
  }

  /** Whether it writes the columns of this kind for this candidate. */
  knows(of: KeyKind, candidate: number, user: number): boolean {
    return isOf(this.#share, keyOf(of, user, candidate, this.#categoryColumns));
  }

  /**
   * What is known of a candidate for a user: the values of `columns`, those of its share alone; all others are left as they are.
   * @param user NONE for one that is not known, whom tables of every key know, and those of a share never
   * @param time milliseconds, no earlier than any event
   * @param known where to write them. (F)
   */
  describe(candidate: number, user: number, time: number, known: Float64Array): void {
    const share = this.#share;
    const counts = this.#counts;
    const { all, ofUser, columns } = this.#momentOf(user, time);
    const isOwn = isOf(share, user);
    const ownUser = rowOf(share, user);
    let at = 0;
    if (isOf(share, candidate)) {
      const key = rowOf(share, candidate);
      this.#items.read(key, time, counts);
      this.#writeBelow(known, at, all);
      this.#writeAge(known, at + this.#width, key, time);
    }
    at += this.#width + ageNames.length;
    if (isOwn) for (let place = 0; place < this.#width; place++) known[at + place] = columns[place]!;
    at += this.#width;
    for (const { column, values, pairs, ofUsers } of this.#categories) {
      const code = codeOf(column, candidate);
      if (isOf(share, givenCode(column, candidate))) {
        values.read(code === NONE ? NONE : rowOf(share, code), time, counts);
        this.#writeBelow(known, at, all);
      }
      at += this.#width;
      if (isOwn) {
        ofUsers.read(pairs.find(ownUser, code), time, counts);
        this.#writeBelow(known, at, ofUser);
        known[at + this.#width] = counts.clicks[ever]! > 0 ? 1 : 0;
      }
      at += this.#width + 1;
    }
    if (isOwn) this.#past.write(known, at, ownUser, candidate, time, this.#withExposures);
  }

  /** Writes the counts that were read last. @param above the rates one level up */
  #writeBelow(known: Float64Array, at: number, above: Rates): void {
    if (this.#withExposures) ratesOf(this.#counts, above, this.#rates);
    writeCounts(known, at, this.#counts, this.#withExposures ? this.#rates : null);
  }

  /** Writes the values of `ageNames`. */
  #writeAge(known: Float64Array, at: number, item: number, time: number): void {
    const row = this.#firstClicks.find(item);
    const isClicked = row !== null && this.#firstClicks.values[row] === 1;
    known[at] = isClicked ? 0 : 1;
    known[at + 1] = isClicked ? Math.log1p((time - this.#firstClicks.values[row + 1]!) / day) : 0;
  }

  #momentOf(user: number, time: number) {
    const moment = this.#moment;
    if (moment.isKnown && time === moment.time && user === moment.user) return moment;
    const counts = this.#counts;
    ratesOfAll(this.#all.read(everything, time, counts), moment.all);
    if (isOf(this.#share, user)) {
      ratesOf(this.#users.read(rowOf(this.#share, user), time, counts), moment.all, moment.ofUser);
      writeCounts(moment.columns, 0, counts, this.#withExposures ? moment.ofUser : null);
    }
    moment.isKnown = true;
    moment.user = user;
    moment.time = time;
    return moment;
  }
}

/** Whether a share has a key. NONE is in the share of all, and in no other. */
function isOf({ place, of }: Share, key: number): boolean {
  return key % of === place;
}

/** The row of a key in the tables of its share: keys without those of others. */
function rowOf({ of }: Share, key: number): number {
  return Math.floor(key / of);
}

/** The code of an item's category value, 0 for an unknown one. @throws Error for an item that the column has not */
function givenCode({ name, codes }: CountedCategory, item: number): number {
  const code = codes[item];
  if (code === undefined) throw new Error(`item ${item} has no code of ${name}`);
  return code;
}

/** The same, NONE for an unknown one. */
function codeOf(column: CountedCategory, item: number): number {
  const code = givenCode(column, item);
  return code === 0 ? NONE : code;
}

const ageNames = ['cold', 'item_age_days_log'];

/** What tables of these categories write, in the order of `describe`. */
export function counterColumns(
  categories: readonly CountedCategory[],
  withExposures: boolean,
): CounterColumns {
  const group = (of: KeyKind, names: readonly string[]) => names.map((name) => ({ name, of }));
  const columns = [
    ...group('item', [...countNames('item', withExposures), ...ageNames]),
    ...group('user', countNames('user', withExposures)),
    ...categories.flatMap(({ name }, place) => [
      ...group(place, countNames(name, withExposures)),
      ...group('user', namesWithUser(name, withExposures)),
    ]),
    ...group('user', ownPastNames(withExposures)),
  ];
  const kinds: readonly KeyKind[] = ['user', 'item', ...categories.keys()];
  return {
    names: columns.map(({ name }) => name),
    groups: kinds.map((of) => ({
      of,
      columns: [...columns.keys()].filter((place) => columns[place]!.of === of),
    })),
  };
}

function namesWithUser(category: string, withExposures: boolean): string[] {
  return [...countNames(`user_${category}`, withExposures), `${category}_in_history`];
}

/** The columns that come from a category; without exposures those of rates and exposures are not there. */
export function columnsOfCategory(name: string): string[] {
  return [...countNames(name, true), ...namesWithUser(name, true)];
}
