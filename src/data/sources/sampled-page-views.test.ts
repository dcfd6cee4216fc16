import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../random.ts';
import { eventsInOrder } from '../clicks.ts';
import { Findings } from '../findings.ts';
import { samplePageViews } from './sampled-page-views.ts';

const purchase = fc.record({ user: fc.nat(3), item: fc.nat(12), time: fc.nat(8) });
const log = fc.array(purchase, { maxLength: 80 }).map((events) =>
  eventsInOrder(
    events.map(({ user }) => user),
    events.map(({ item }) => item),
    events.map(({ time }) => time),
  ),
);

describe('sampled page views', () => {
  it('end in first purchases after two other items, beside items of earlier purchases the user never made', () => {
    fc.assert(
      fc.property(log, fc.nat(), (clicks, seed) => {
        const views = samplePageViews(clicks, 1, Random.seeded(seed, 'test'), new Findings());
        const rows = Array.from(clicks.item, (_, row) => row);
        for (const [view, target] of views.target.entries()) {
          const time = clicks.time[target]!;
          const earlier = rows.filter((row) => clicks.time[row]! < time);
          const own = earlier.filter((row) => clicks.user[row] === clicks.user[target]);
          const ownItems = new Set(own.map((row) => clicks.item[row]));
          const range = [views.start[view]!, views.start[view + 1]!] as const;
          const candidates = [...views.item.subarray(...range)];
          const others = candidates.filter((_, place) => views.clicked[range[0] + place] === 0);
          expect(ownItems.size).toBeGreaterThanOrEqual(2);
          expect(ownItems.has(clicks.item[target])).toBe(false);
          expect(new Set(candidates).size).toBe(candidates.length);
          expect(candidates.filter((item) => !others.includes(item))).toEqual([clicks.item[target]]);
          for (const item of others) {
            expect(ownItems.has(item)).toBe(false);
            expect(earlier.some((row) => clicks.item[row] === item)).toBe(true);
          }
        }
      }),
    );
  });

  it('do not depend on purchases at or after their time', () => {
    fc.assert(
      fc.property(log, fc.nat(8), (clicks, end) => {
        const before = Array.from(clicks.time, (_, row) => row).filter((row) => clicks.time[row]! < end);
        const part = {
          user: Int32Array.from(before, (row) => clicks.user[row]!),
          item: Int32Array.from(before, (row) => clicks.item[row]!),
          time: Float64Array.from(before, (row) => clicks.time[row]!),
        };
        const whole = samplePageViews(clicks, 1, Random.seeded(1, 'test'), new Findings());
        const early = samplePageViews(part, 1, Random.seeded(1, 'test'), new Findings());
        expect(whole.item.subarray(0, early.item.length)).toEqual(early.item);
        expect(whole.clicked.subarray(0, early.clicked.length)).toEqual(early.clicked);
      }),
    );
  });
});
