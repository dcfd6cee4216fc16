import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseFeatures, type FeatureInput, type NumericColumn } from './base-features.ts';
import { encodeCategories } from './categories.ts';
import { eventsInOrder, type UserEvents } from './clicks.ts';
import { Counters } from './counters.ts';
import { Findings } from './findings.ts';

const day = 86_400_000;
type Event = { readonly user: number; readonly item: number; readonly time: number };

function eventsOf(events: readonly Event[]): UserEvents {
  return eventsInOrder(
    events.map(({ user }) => user),
    events.map(({ item }) => item),
    events.map(({ time }) => time),
  );
}

/** One page view of user 0 over items 0, 1 and 2, of which 0 and 1 are red and 2 has no colour. */
function inputOf(
  events: readonly Event[],
  time: number,
  numeric: readonly NumericColumn[] = [],
): FeatureInput {
  return {
    clicks: eventsOf(events),
    shown: null,
    counterPeriod: 1,
    counterLag: 0,
    categories: [encodeCategories('colour', ['red', 'red', null])],
    pageViews: {
      user: Int32Array.of(0),
      time: Float64Array.of(time),
      split: Uint8Array.of(0),
      start: Int32Array.of(0, 3),
    },
    item: Int32Array.of(0, 1, 2),
    numeric,
  };
}

function rowsOf(input: FeatureInput, findings = new Findings()): Record<string, number>[] {
  const { numeric, numericNames } = baseFeatures(input, findings);
  const width = numericNames.length;
  return Array.from(input.item, (_, row) =>
    Object.fromEntries(numericNames.map((name, feature) => [name, numeric[row * width + feature]!])),
  );
}

describe('base features', () => {
  it('are those of the counters at each page view, with the events before it', () => {
    const shown = [0, 1, 4, 5].map((time) => ({ user: 0, item: time % 2, time }));
    const events = shown.slice(1);
    const input = { ...inputOf(events, 5), shown: eventsOf(shown) };
    const { categories } = input;
    const counters = new Counters({ categories, withExposures: true, lag: 0, period: 1 });
    for (const event of shown) counters.observe({ kind: 'exposure', ...event });
    for (const event of events) counters.observe({ kind: 'click', ...event });
    const rows = rowsOf(input);
    for (const item of [0, 1, 2]) {
      expect(Object.values(rows[item]!)).toEqual(counters.describe(item, 0, 5).map(Math.fround));
      expect(Object.keys(rows[item]!)).toEqual(counters.names);
    }
  });

  it('count a click only when the lag has passed', () => {
    const input = inputOf([{ user: 0, item: 0, time: 1000 }], 1600);
    expect(rowsOf({ ...input, counterLag: 600 })[0]).toMatchObject({ cold: 1, clicked_before: 0 });
    expect(rowsOf({ ...input, counterLag: 599 })[0]).toMatchObject({ cold: 0, clicked_before: 1 });
  });

  it('never depend on events at or after the page view', () => {
    const event = fc.record({ user: fc.nat(1), item: fc.nat(2), time: fc.nat(50 * day) });
    fc.assert(
      fc.property(fc.array(event), fc.array(event), fc.nat(50 * day), (log, late, time) => {
        const future = late.map((click) => ({ ...click, time: click.time + time }));
        expect(rowsOf(inputOf([...log, ...future], time))).toEqual(rowsOf(inputOf(log, time)));
      }),
    );
  });

  it('fill a missing value with the mean of the training split, and say so', () => {
    const findings = new Findings();
    const price = { name: 'price', values: Float64Array.of(2, Number.NaN, 4) };
    const rows = rowsOf(inputOf([], 5, [price]), findings);
    expect(rows.map((row) => [row['price'], row['price_missing']])).toEqual([
      [2, 0],
      [3, 1],
      [4, 0],
    ]);
    expect(findings.list()[0]?.count).toBe(1);
  });

  it('refuse a column with the name of another feature', () => {
    const twice = { name: 'COLD', values: Float64Array.of(1, 2, 3) };
    expect(() => rowsOf(inputOf([], 5, [twice]))).toThrow(/COLD/);
  });

  it('refuse a value that a 32-bit float cannot hold', () => {
    const large = { name: 'price', values: Float64Array.of(1, 2, 1e300) };
    expect(() => rowsOf(inputOf([], 5, [large]))).toThrow(/1e\+300/);
  });
});
