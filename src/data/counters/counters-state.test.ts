import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeCategories } from '../categories.ts';
import { type CounterOptions, Counters } from './counters.ts';
import type { CounterEvent } from './delayed-events.ts';

const minute = 60_000;
const events = fc.array(
  fc.record({
    kind: fc.constantFrom('exposure' as const, 'click' as const),
    user: fc.nat(3),
    item: fc.nat(4),
    time: fc.nat(5000).map((time) => time * minute),
  }),
  { maxLength: 60 },
);

it('counters that were written and put back say the same to the last bit, whatever comes after', () => {
  return fc.assert(
    fc.asyncProperty(
      events,
      events,
      fc.nat(5000),
      fc.constantFrom(0, 3 * minute),
      fc.constantFrom(1, 1440 * minute),
      async (before, after, at, lag, period) => {
        const options: CounterOptions = {
          categories: [encodeCategories('colour', ['red', 'red', 'blue', null, 'blue'])],
          withExposures: true,
          lag,
          period,
        };
        const whole = new Counters(options);
        for (const event of before) whole.observe(event);
        whole.describe(0, 0, at * minute);
        const restored = new Counters(options);
        await restored.restore(whole.state());
        expect(restored.time).toBe(whole.time);
        const later: CounterEvent[] = after.map((event) => ({ ...event, time: event.time + at * minute }));
        for (const event of later) {
          whole.observe(event);
          restored.observe(event);
        }
        for (const time of [at * minute, 20_000 * minute])
          for (const user of [0, 1, 2, 3, 9])
            for (const item of [0, 1, 2, 3, 4])
              expect(restored.describe(item, user, time)).toEqual(whole.describe(item, user, time));
      },
    ),
    { numRuns: 60 },
  );
});

it('counters refuse a state in which a pair is there twice, or a number is none', async () => {
  const options: CounterOptions = { categories: [], withExposures: true, lag: 0, period: 1 };
  const counters = new Counters(options);
  counters.observe({ kind: 'click', user: 0, item: 0, time: 1 });
  counters.describe(0, 0, 5);
  const state = new Map(counters.state());
  const twice = new Map(state).set('past/pairs/pairs', Int32Array.of(0, 0, 0, 0));
  await expect(new Counters(options).restore(twice)).rejects.toThrow('twice');
  const infinite = new Map(state).set('items/rows', new Float64Array(9).fill(Number.POSITIVE_INFINITY));
  await expect(new Counters(options).restore(infinite)).rejects.toThrow('not finite');
  await expect(new Counters(options).restore(new Map())).rejects.toThrow('there are no');
});
