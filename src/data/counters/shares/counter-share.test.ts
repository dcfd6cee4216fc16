import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeCategories } from '../../categories.ts';
import { eventsInOrder, type UserEvents } from '../../clicks.ts';
import { type CounterOptions, Counters } from '../counters.ts';
import type { EventKind } from '../decayed-counts.ts';
import type { CountedLog } from './counted-log.ts';
import { CounterShare } from './counter-share.ts';

const hour = 3_600_000;
const categories = [
  encodeCategories('colour', ['red', null, 'blue', 'red', 'green']),
  encodeCategories('kind', ['shoe', 'hat', null, 'hat', 'bag']),
];

const someEvents = fc
  .array(fc.record({ user: fc.nat(4), item: fc.nat(4), hours: fc.nat(200) }), { maxLength: 40 })
  .map((events) =>
    eventsInOrder(
      events.map(({ user }) => user),
      events.map(({ item }) => item),
      events.map(({ hours }) => hours * hour),
    ),
  );

const logs: fc.Arbitrary<CountedLog> = fc
  .record({
    clicks: someEvents,
    shown: fc.option(someEvents),
    views: fc.array(
      fc.record({ user: fc.nat(4), hours: fc.nat(200), items: fc.array(fc.nat(4), { maxLength: 3 }) }),
      { maxLength: 12 },
    ),
    lag: fc.constantFrom(0, 3 * hour),
    period: fc.constantFrom(1, 24 * hour),
  })
  .map(({ clicks, shown, views, lag, period }) => {
    const ordered = views.toSorted((one, other) => one.hours - other.hours);
    const start = [0];
    for (const { items } of ordered) start.push(start.at(-1)! + items.length);
    return {
      clicks,
      shown,
      settings: { withExposures: shown !== null, lag, period },
      categories,
      pageViews: {
        user: Int32Array.from(ordered, ({ user }) => user),
        time: Float64Array.from(ordered, ({ hours }) => hours * hour),
        start: Int32Array.from(start),
      },
      item: Int32Array.from(ordered.flatMap(({ items }) => items)),
    };
  });

/** What counters say that hear of everything at once, as a service does. */
function rowsOfCounters({ clicks, shown, settings, pageViews, item }: CountedLog): number[][] {
  const options: CounterOptions = { ...settings, categories };
  const counters = new Counters(options);
  const observe = (kind: EventKind, { user, item, time }: UserEvents) => {
    for (const [event, when] of time.entries())
      counters.observe({ kind, user: user[event]!, item: item[event]!, time: when });
  };
  if (shown !== null) observe('exposure', shown);
  observe('click', clicks);
  return [...pageViews.time.entries()].flatMap(([view, time]) =>
    [...item.subarray(pageViews.start[view], pageViews.start[view + 1])].map((candidate) =>
      [...counters.describe(candidate, pageViews.user[view]!, time)].map(Math.fround),
    ),
  );
}

it('shares of the keys have together, each value in one of them, the bits that counters without shares have', () => {
  fc.assert(
    fc.property(logs, fc.integer({ min: 1, max: 6 }), fc.nat(12), (log, of, cut) => {
      const rows = log.item.length;
      const { names } = new Counters({ ...log.settings, categories });
      const columns = names.map(() => new Float32Array(rows));
      const written = names.map(() => new Uint8Array(rows));
      const views = log.pageViews.time.length;
      const middle = Math.min(cut, views);
      for (let place = 0; place < of; place++) {
        const share = new CounterShare(log, { place, of });
        // In two parts, the second into memory of its own.
        for (const [from, to] of [
          [0, middle],
          [middle, views],
        ] as const) {
          const first = log.pageViews.start[from]!;
          const own = names.map(() => new Float32Array(rows - first).fill(Number.NaN));
          // What was before may be told some events at a time.
          while (from < to && !share.observe(from, 3));
          share.fill({ from, to }, own, first);
          for (const [column, values] of own.entries()) {
            for (const [row, value] of values.entries()) {
              if (Number.isNaN(value)) continue;
              columns[column]![first + row] = value;
              written[column]![first + row]! += 1;
            }
          }
        }
      }
      expect(written.every((counts) => counts.every((count) => count === 1))).toBe(true);
      const found = Array.from({ length: rows }, (_, row) => columns.map((column) => column[row]!));
      expect(found).toEqual(rowsOfCounters(log));
    }),
  );
});
