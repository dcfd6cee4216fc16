import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventsInOrder } from './clicks.ts';
import { NONE } from './dataset.ts';
import { buildHistories } from './history.ts';

const event = fc.record({ user: fc.nat(2), item: fc.nat(5), time: fc.nat(6) });

function clicksOf(events: readonly { user: number; item: number; time: number }[]) {
  return eventsInOrder(
    events.map(({ user }) => user),
    events.map(({ item }) => item),
    events.map(({ time }) => time),
  );
}

describe('histories', () => {
  it('are exactly the newest distinct items strictly before the page view, whatever the log', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 40 }),
        event,
        fc.integer({ min: 1, max: 6 }),
        (log, view, length) => {
          const pageViews = { user: Int32Array.of(view.user), time: Float64Array.of(view.time) };
          const history = [...buildHistories(clicksOf(log), pageViews, 3, length)];
          const earlier = log
            .map((click, row) => ({ ...click, row }))
            .filter(({ user, time }) => user === view.user && time < view.time)
            .sort((a, b) => b.time - a.time || b.row - a.row);
          const expected = [...new Set(earlier.map(({ item }) => item))].slice(0, length);
          expect(history).toEqual([...expected, ...new Array(length - expected.length).fill(NONE)]);
        },
      ),
    );
  });

  it('do not change when events at or after the page view are added', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 30 }),
        fc.array(event, { maxLength: 10 }),
        event,
        (log, late, view) => {
          const pageViews = { user: Int32Array.of(view.user), time: Float64Array.of(view.time) };
          const future = late.map((click) => ({ ...click, time: click.time + view.time }));
          const before = buildHistories(clicksOf(log), pageViews, 3, 4);
          expect(buildHistories(clicksOf([...log, ...future]), pageViews, 3, 4)).toEqual(before);
        },
      ),
    );
  });
});
