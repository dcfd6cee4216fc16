/** What each user clicked, as an export has it and as it goes on. */
import type { UserEvents } from '../data/clicks.ts';
import { lowerBound } from '../data/clicks.ts';
import { NONE, type PageViews } from '../data/dataset.ts';
import { longHistoryLength } from '../data/long-history.ts';
import { groupRows } from '../groups.ts';

/** Clicks of all users, one user after the other, each in the order of time. */
export interface StoredHistories {
  /** Where the clicks of each user begin. (U + 1) */
  readonly start: Int32Array;
  readonly item: Int32Array;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly time: Float64Array;
}

/** Clicks of one user, ascending in time; of equal times the later is the newer. */
interface Clicks {
  readonly item: number[];
  readonly time: number[];
}

/** Clicks of a user that are held: a long history, and as many more for items that were clicked again. */
const held = 2 * longHistoryLength;

export class Histories {
  readonly #stored: StoredHistories;
  /** Of users who clicked since. */
  readonly #since = new Map<number, Clicks>();

  constructor(stored: StoredHistories) {
    this.#stored = stored;
  }

  /** A click, in any order. */
  add(user: number, item: number, time: number): void {
    const known = this.#since.get(user);
    const clicks = known ?? this.#copy(user);
    if (known === undefined) this.#since.set(user, clicks);
    let place = clicks.time.length;
    while (place > 0 && clicks.time[place - 1]! > time) place--;
    clicks.item.splice(place, 0, item);
    clicks.time.splice(place, 0, time);
    if (clicks.time.length > held) {
      clicks.item.shift();
      clicks.time.shift();
    }
  }

  /**
   * The items that a user clicked strictly before a time, newest first, each once.
   * @param user NONE for one that is not known
   * @param most how many at most
   */
  before(user: number, time: number, most: number = longHistoryLength): readonly number[] {
    const since = this.#since.get(user);
    const { start, item, time: times } = this.#stored;
    const [items, moments, from, to] =
      since === undefined
        ? [item, times, start[user] ?? 0, start[user + 1] ?? 0]
        : [since.item, since.time, 0, since.item.length];
    const found = new Set<number>();
    const end = lowerBound((place) => moments[place]!, time, from, user === NONE ? from : to);
    for (let place = end - 1; place >= from && found.size < most; place--) found.add(items[place]!);
    return [...found];
  }

  #copy(user: number): Clicks {
    const { start, item, time } = this.#stored;
    const [from, to] = [start[user] ?? 0, start[user + 1] ?? 0];
    return { item: Array.from(item.subarray(from, to)), time: Array.from(time.subarray(from, to)) };
  }
}

/**
 * The histories of all users as they stand at a moment. What the last page view of a user has as its history, and clicks do
 * not tell, as where the log brought histories of its own, stands as if it had been clicked just before that page view.
 * @param clicks all there were
 */
export function historiesAt(
  until: number,
  users: number,
  clicks: UserEvents,
  pageViews: Pick<PageViews, 'user' | 'time' | 'history' | 'historyLength'>,
): StoredHistories {
  const byUser = groupRows(clicks.user, users);
  const lastView = new Int32Array(users).fill(NONE);
  for (let view = 0; view < pageViews.user.length && pageViews.time[view]! < until; view++)
    lastView[pageViews.user[view]!] = view;
  const start = new Int32Array(users + 1);
  const [items, times]: [number[], number[]] = [[], []];
  for (let user = 0; user < users; user++) {
    const rows = byUser.rows.subarray(byUser.start[user], byUser.start[user + 1]);
    const own = Array.from(rows, (row) => ({ item: clicks.item[row]!, time: clicks.time[row]! })).filter(
      ({ time }) => time < until,
    );
    for (const click of withLogged(own, lastView[user]!, pageViews).slice(-held)) {
      items.push(click.item);
      times.push(click.time);
    }
    start[user + 1] = items.length;
  }
  return { start, item: Int32Array.from(items), time: Float64Array.from(times) };
}

interface Click {
  readonly item: number;
  readonly time: number;
}

function withLogged(
  clicks: readonly Click[],
  view: number,
  { time, history, historyLength }: Pick<PageViews, 'time' | 'history' | 'historyLength'>,
): readonly Click[] {
  if (view === NONE) return clicks;
  const now = time[view]!;
  const logged = Array.from(history.subarray(view * historyLength, (view + 1) * historyLength)).filter(
    (item) => item !== NONE,
  );
  const before = clicks.filter((click) => click.time < now);
  const newest = new Set(before.map(({ item }) => item).reverse());
  if ([...newest].slice(0, logged.length).every((item, place) => item === logged[place])) {
    if (newest.size >= logged.length) return clicks;
  }
  // Newest first in the log, so that the first stands nearest to the page view.
  const inserted = logged.map((item, place) => ({ item, time: now - 1 - place })).reverse();
  const bound = now - 1 - logged.length;
  const older = before.map((click) => ({ ...click, time: Math.min(click.time, bound) }));
  return [...older, ...inserted, ...clicks.filter((click) => click.time >= now)];
}
