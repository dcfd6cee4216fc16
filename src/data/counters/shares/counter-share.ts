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
 * user, and others of that of its item. Each counter is told of the same events in the same order as without shares, so that all columns have the same
 * bits; what is counted of everything together is counted in every share.
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
    this.#known = new Float64Array(tables.names.length);
  }

  /**
   * @param views page views that come after those of all calls before
   * @param columns of the exposures from `first` on; what is not of the share is left as it is. (F) of (n)
   */
  fill(views: Part, columns: readonly Float32Array[], first: number): void {
    const { pageViews, item, settings } = this.#log;
    const known = this.#known;
    const tables = this.#tables;
    for (let view = views.from; view < views.to; view++) {
      const user = pageViews.user[view]!;
      const time = pageViews.time[view]!;
      const { shared, own } = knownAt(time, settings);
      this.#shared.tell(shared);
      this.#own.tell(own);
      const end = pageViews.start[view + 1]!;
      for (let row = pageViews.start[view]!; row < end; row++) {
        const candidate = item[row]!;
        tables.describe(candidate, user, time, known);
        for (const group of tables.groups) {
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

  /** Those before a time that were not told. */
  tell(before: number): void {
    const [shown, clicks] = [this.#shown, this.#clicks];
    for (;;) {
      const exposed = shown?.time[this.#exposure] ?? Number.POSITIVE_INFINITY;
      const clicked = clicks.time[this.#click] ?? Number.POSITIVE_INFINITY;
      if (!(Math.min(exposed, clicked) < before)) return;
      if (shown !== null && exposed <= clicked) {
        const event = this.#exposure++;
        this.#use('exposure', shown.user[event]!, shown.item[event]!, exposed);
      } else {
        const event = this.#click++;
        this.#use('click', clicks.user[event]!, clicks.item[event]!, clicked);
      }
    }
  }
}
