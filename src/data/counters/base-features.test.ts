import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countedLog } from '../../../test/support/counted-log.ts';
import { encodeCategories } from '../categories.ts';
import { eventsInOrder, type UserEvents } from '../clicks.ts';
import { BaseFeatures, type FeatureInput, type NumericColumn } from './base-features.ts';
import { Counters } from './counters.ts';

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
    settings: { withExposures: false, lag: 0, period: 1 },
    categories: [encodeCategories('colour', ['red', 'red', null])],
    pageViews: {
      user: Int32Array.of(0),
      time: Float64Array.of(time),
      start: Int32Array.of(0, 3),
    },
    item: Int32Array.of(0, 1, 2),
    numeric,
  };
}

/** Columns of all page views, in parts that end before these. */
async function columnsOf(features: BaseFeatures, ends: readonly number[]): Promise<number[][]> {
  const parts = ends.map((to, place) => ({ from: ends[place - 1] ?? 0, to }));
  const columns: number[][] = features.names.map(() => []);
  for await (const part of features.columnsOf(parts))
    for (const [column, values] of part.entries()) columns[column]!.push(...values);
  return columns;
}

async function rowsOf(input: FeatureInput): Promise<Record<string, number>[]> {
  const features = new BaseFeatures(input);
  const columns = await columnsOf(features, [input.pageViews.user.length]);
  return Array.from(input.item, (_, row) =>
    Object.fromEntries(features.names.map((name, feature) => [name, columns[feature]![row]!])),
  );
}

describe('base features', () => {
  it('are those of the counters at each page view, with the events before it', async () => {
    const shown = [0, 1, 4, 5].map((time) => ({ user: 0, item: time % 2, time }));
    const events = shown.slice(1);
    const settings = { withExposures: true, lag: 0, period: 1 };
    const input = { ...inputOf(events, 5), shown: eventsOf(shown), settings };
    const { categories } = input;
    const counters = new Counters({ categories, ...settings });
    for (const event of shown) counters.observe({ kind: 'exposure', ...event });
    for (const event of events) counters.observe({ kind: 'click', ...event });
    const rows = await rowsOf(input);
    for (const item of [0, 1, 2]) {
      expect(Object.values(rows[item]!)).toEqual([...counters.describe(item, 0, 5)].map(Math.fround));
      expect(Object.keys(rows[item]!)).toEqual(counters.names);
    }
  });

  it('count a click only when the lag has passed', async () => {
    const input = inputOf([{ user: 0, item: 0, time: 1000 }], 1600);
    expect((await rowsOf({ ...input, settings: { ...input.settings, lag: 600 } }))[0]).toMatchObject({
      cold: 1,
      clicked_before: 0,
    });
    expect((await rowsOf({ ...input, settings: { ...input.settings, lag: 599 } }))[0]).toMatchObject({
      cold: 0,
      clicked_before: 1,
    });
  });

  it('never depend on events at or after the page view', async () => {
    const event = fc.record({ user: fc.nat(1), item: fc.nat(2), time: fc.nat(50 * day) });
    await fc.assert(
      fc.asyncProperty(fc.array(event), fc.array(event), fc.nat(50 * day), async (log, late, time) => {
        const future = late.map((click) => ({ ...click, time: click.time + time }));
        expect(await rowsOf(inputOf([...log, ...future], time))).toEqual(await rowsOf(inputOf(log, time)));
      }),
    );
  });

  it('are the same in one go and in several', async () => {
    const events = Array.from({ length: 30 }, (_, time) => ({ user: time % 2, item: time % 3, time }));
    const input = inputOf(events, 0);
    const pageViews = {
      user: Int32Array.of(0, 1, 0, 1),
      time: Float64Array.of(4, 9, 9, 40),
      start: Int32Array.of(0, 2, 3, 5, 6),
    };
    const several = { ...input, shown: eventsOf(events), pageViews, item: Int32Array.of(0, 1, 2, 2, 0, 1) };
    const whole = await columnsOf(new BaseFeatures(several), [4]);
    expect(await columnsOf(new BaseFeatures(several), [1, 1, 3, 4])).toEqual(whole);
  });

  it('have the same bits by one thread and by several', async () => {
    const input = { ...countedLog(), numeric: [] };
    const one = await columnsOf(new BaseFeatures(input, { threads: 1 }), [300]);
    for (const threads of [2, 3])
      expect(await columnsOf(new BaseFeatures(input, { threads }), [100, 250, 300])).toEqual(one);
  });

  it('leave what is missing to those who read them', async () => {
    const price = { name: 'price', values: Float64Array.of(2, Number.NaN, 4) };
    const column = Float32Array.from(await rowsOf(inputOf([], 5, [price])), (row) => row['price']!);
    expect(column).toEqual(Float32Array.of(2, Number.NaN, 4));
  });

  it('refuse a column with the name of another feature', async () => {
    const twice = { name: 'COLD', values: Float64Array.of(1, 2, 3) };
    await expect(rowsOf(inputOf([], 5, [twice]))).rejects.toThrow(/COLD/);
  });

  it('refuse a value that a 32-bit float cannot hold', async () => {
    const large = { name: 'price', values: Float64Array.of(1, 2, 1e300) };
    await expect(rowsOf(inputOf([], 5, [large]))).rejects.toThrow(/1e\+300/);
  });
});
