/** A log to be counted, large enough that some events are at one time, and some categories are unknown. */
import { encodeCategories } from '../../src/data/categories.ts';
import { eventsInOrder, type UserEvents } from '../../src/data/clicks.ts';
import type { CountedLog } from '../../src/data/counters/shares/counted-log.ts';
import type { Part } from '../../src/data/parts.ts';
import { Random } from '../../src/random.ts';

const day = 86_400_000;

interface Event {
  readonly user: number;
  readonly item: number;
  readonly time: number;
}

function eventsOf(events: readonly Event[]): UserEvents {
  return eventsInOrder(
    events.map(({ user }) => user),
    events.map(({ item }) => item),
    events.map(({ time }) => time),
  );
}

/** 300 page views of two. */
export function countedLog(): CountedLog {
  const random = Random.seeded(1, 'counted log');
  const views = Array.from({ length: 300 }, () => ({
    user: random.integer(9),
    time: random.integer(9 * day),
  }));
  views.sort((one, other) => one.time - other.time);
  const events = views.flatMap(({ user, time }) => [
    { user, time, item: random.integer(7) },
    { user, time, item: random.integer(7) },
  ]);
  return {
    clicks: eventsOf(events.filter(() => random.uniform() < 0.3)),
    shown: eventsOf(events),
    settings: { withExposures: true, lag: 1000, period: day },
    categories: [
      encodeCategories('colour', ['red', 'red', null, 'blue', 'green', 'blue', null]),
      encodeCategories('kind', ['shoe', null, 'shoe', 'hat', 'hat', 'coat', 'bag']),
    ],
    pageViews: {
      user: Int32Array.from(views, ({ user }) => user),
      time: Float64Array.from(views, ({ time }) => time),
      start: Int32Array.from({ length: views.length + 1 }, (_, view) => 2 * view),
    },
    item: Int32Array.from(events, ({ item }) => item),
  };
}

/** Its page views in parts, one of which has none. */
export const countedParts: readonly Part[] = [
  { from: 0, to: 100 },
  { from: 100, to: 100 },
  { from: 100, to: 250 },
  { from: 250, to: 300 },
];
