/**
 * Counters of a share of the keys, over a whole log: of some of the users, with all that is of one user, of some of the items, and of some
 * values of each category.
 */
import type { UserEvents } from '../../clicks.ts';
import type { Part } from '../../parts.ts';
import { CounterTables, type Share } from '../counter-tables.ts';
import { knownAt } from '../counters.ts';
import type { EventKind } from '../decayed-counts.ts';
import type { CountedLog } from './counted-log.ts';

/**
 * Columns of exposures, page view after page view, where the key that they are of is in the share: an exposure has some of a share of its
 * user, and others of that of its item. Each counter is told of the same events in the same order as without shares, so that all columns
 * have the same bits; what is counted of everything together is counted in every share.
 */
export class CounterShare {
  readonly #log: CountedLog;
  readonly #tables: CounterTables;
  readonly #shared: EventCursor;
  readonly #own: EventCursor;
  readonly #known: Float64Array;

  constructor(log: CountedLog, share: Share) {
    const tables = new CounterTables(log.categories, log.settings.withExposures, share);
    this.#log = log;
    this.#tables = tables;
    this.#shared = new EventCursor(log, (kind, _user, item, time) => tables.addShared(kind, item, time));
    this.#own = new EventCursor(log, (kind, user, item, time) => tables.addOwn(kind, user, item, time));
    this.#known = new Float64Array(tables.columns.names.length);
  }

  /**
   * Takes note of what happened before a page view, which is no earlier than those of all calls before.
   * @param most events at a time: a log that is appended to begins with all that was before
   * @returns whether that was all
   */
  observe(view: number, most: number): boolean {
    const { pageViews, settings } = this.#log;
    const { shared, own } = knownAt(pageViews.time[view]!, settings);
    const isAll = this.#shared.tell(shared, most);
    return this.#own.tell(own, most) && isAll;
  }

  /**
   * @param views page views that come after those of all calls before
   * @param columns of the exposures from `first` on; what is not of the share is left as it is. (F) of (n)
   */
  fill(views: Part, columns: readonly Float32Array[], first: number): void {
    const { pageViews, item } = this.#log;
    const known = this.#known;
    const tables = this.#tables;
    for (let view = views.from; view < views.to; view++) {
      const user = pageViews.user[view]!;
      const time = pageViews.time[view]!;
      this.observe(view, Number.POSITIVE_INFINITY);
      const end = pageViews.start[view + 1]!;
      for (let row = pageViews.start[view]!; row < end; row++) {
        const candidate = item[row]!;
        tables.describe(candidate, user, time, known);
        for (const group of tables.columns.groups) {
          if (!tables.knows(group.of, candidate, user)) continue;
          for (const column of group.columns) columns[column]![row - first] = known[column]!;
        }
      }
    }
  }
}

type UseEvent = (kind: EventKind, user: number, item: number, time: number) => void;

/** All events of a log in the order of time, of equal times exposures first: the order in which `Counters` come to know them. */
class EventCursor {
  readonly #shown: UserEvents | null;
  readonly #clicks: UserEvents;
  readonly #use: UseEvent;
  #exposure = 0;
  #click = 0;

  constructor({ shown, clicks }: CountedLog, use: UseEvent) {
    this.#shown = shown;
    this.#clicks = clicks;
    this.#use = use;
  }

  /** Those before a time that were not told, up to so many. @returns whether those were all */
  tell(before: number, most: number): boolean {
    const [shown, clicks] = [this.#shown, this.#clicks];
    for (let told = 0; told < most; told++) {
      const exposed = shown?.time[this.#exposure] ?? Number.POSITIVE_INFINITY;
      const clicked = clicks.time[this.#click] ?? Number.POSITIVE_INFINITY;
      if (!(Math.min(exposed, clicked) < before)) return true;
      if (shown !== null && exposed <= clicked) {
        const event = this.#exposure++;
        this.#use('exposure', shown.user[event]!, shown.item[event]!, exposed);
      } else {
        const event = this.#click++;
        this.#use('click', clicks.user[event]!, clicks.item[event]!, clicked);
      }
    }
    return false;
  }
}
