import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseFeatures, type FeatureInput, type NumericColumn } from './base-features.ts';
import { encodeCategories } from './categories.ts';
import { clicksInOrder } from './clicks.ts';
import { Findings } from './findings.ts';

const day = 86_400_000;
type Event = { readonly user: number; readonly item: number; readonly time: number };

/** One page view of user 0 over items 0, 1 and 2, of which 0 and 1 are red and 2 has no colour. */
function inputOf(
  events: readonly Event[],
  time: number,
  numeric: readonly NumericColumn[] = [],
): FeatureInput {
  return {
    userCount: 2,
    clicks: clicksInOrder(
      events.map(({ user }) => user),
      events.map(({ item }) => item),
      events.map((event) => event.time),
    ),
    counterPeriod: 1,
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
  it('count clicks of the item in 7 days, 30 days and ever, without the time of the page view itself', () => {
    const times = [0, 60, 69, 93, 99, 100, 101].map((time) => ({ user: 1, item: 0, time: time * day }));
    const [first, second] = rowsOf(inputOf(times, 100 * day));
    expect(first!['item_clicks_7d_log']).toBeCloseTo(Math.log1p(2), 6);
    expect(first!['item_clicks_30d_log']).toBeCloseTo(Math.log1p(2), 6);
    expect(first!['item_clicks_log']).toBeCloseTo(Math.log1p(5), 6);
    expect(first!['item_age_days_log']).toBeCloseTo(Math.log1p(100), 6);
    expect([first!['cold'], second!['cold']]).toEqual([0, 1]);
  });

  it('count popularity up to the period before the page view, histories up to the moment', () => {
    const events = [
      { user: 0, item: 0, time: 3 * day },
      { user: 0, item: 0, time: 4 * day + 1 },
      { user: 0, item: 0, time: 4 * day + 9 },
    ];
    const [first] = rowsOf({ ...inputOf(events, 4 * day + 5), counterPeriod: day });
    expect(first!['item_clicks_log']).toBeCloseTo(Math.log1p(1), 6);
    expect(first!['user_clicks_log']).toBeCloseTo(Math.log1p(2), 6);
    expect(first!['colour_in_history_log']).toBeCloseTo(Math.log1p(2), 6);
  });

  it("tell whether and how often the candidate's category is among the user's earlier clicks", () => {
    const events = [
      { user: 0, item: 0, time: 1 },
      { user: 0, item: 2, time: 2 },
      { user: 0, item: 1, time: 3 },
      { user: 0, item: 1, time: 5 },
      { user: 1, item: 0, time: 1 },
    ];
    const [, red, unknown] = rowsOf(inputOf(events, 5));
    expect(red!['colour_in_history']).toBe(1);
    expect(red!['colour_in_history_log']).toBeCloseTo(Math.log1p(2), 6);
    expect(unknown!['colour_in_history']).toBe(0);
    expect(red!['user_clicks_log']).toBeCloseTo(Math.log1p(3), 6);
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
