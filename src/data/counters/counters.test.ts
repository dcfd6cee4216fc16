import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCategories } from '../categories.ts';
import { type CounterOptions, Counters } from './counters.ts';
import type { CounterEvent } from './delayed-events.ts';

const day = 86_400_000;
/** Items 0 and 1 are red, 2 is blue, 3 has no colour. */
const options: CounterOptions = {
  categories: [encodeCategories('colour', ['red', 'red', 'blue', null])],
  withExposures: true,
  lag: 0,
  period: 1,
};

function exposed(item: number, user: number, time: number): CounterEvent {
  return { kind: 'exposure', user, item, time };
}

function clicked(item: number, user: number, time: number): CounterEvent[] {
  return [exposed(item, user, time), { kind: 'click', user, item, time }];
}

function valuesOf(counters: Counters, item: number, user: number, time: number): Record<string, number> {
  const values = counters.describe(item, user, time);
  expect(values).toHaveLength(counters.names.length);
  return Object.fromEntries(counters.names.map((name, place) => [name, values[place]!]));
}

function having(events: readonly CounterEvent[], others: Partial<CounterOptions> = {}): Counters {
  const counters = new Counters({ ...options, ...others });
  for (const event of events) counters.observe(event);
  return counters;
}

const logit = (rate: number) => Math.log(rate / (1 - rate));

describe('counters', () => {
  it('draw click rates towards the rate one level up: item, user and category to all, user with category to user', () => {
    const events = [clicked(0, 0, 0), clicked(1, 0, 1), [exposed(2, 0, 2)], [exposed(0, 1, 3)]].flat();
    const values = valuesOf(having(events), 0, 0, 4);
    const all = (2 + 2 * 0.5) / (4 + 2);
    const user = (2 + 20 * all) / (3 + 20);
    expect(values['item_rate']).toBeCloseTo(logit((1 + 20 * all) / (2 + 20)), 9);
    expect(values['user_rate']).toBeCloseTo(logit(user), 9);
    expect(values['colour_rate']).toBeCloseTo(logit((2 + 20 * all) / (3 + 20)), 9);
    expect(values['user_colour_rate']).toBeCloseTo(logit((2 + 20 * user) / (2 + 20)), 9);
    expect(values['item_exposures_log']).toBeCloseTo(Math.log1p(2), 12);
    expect(values['user_colour_clicks_log']).toBeCloseTo(Math.log1p(2), 12);
  });

  it('let events weigh half after 1, 7 and 30 days, and as much as ever over all time', () => {
    const values = valuesOf(having(clicked(0, 0, 0)), 0, 1, 7 * day);
    expect(values['item_clicks_log_1d']).toBeCloseTo(Math.log1p(2 ** -7), 12);
    expect(values['item_clicks_log_7d']).toBeCloseTo(Math.log1p(0.5), 12);
    expect(values['item_exposures_log_30d']).toBeCloseTo(Math.log1p(2 ** (-7 / 30)), 12);
    expect(values['item_exposures_log']).toBeCloseTo(Math.log1p(1), 12);
  });

  it('tell what happened before to the candidate with this user, and nobody else', () => {
    const events = [clicked(0, 0, 0), [exposed(0, 0, day), exposed(0, 0, 2 * day), exposed(1, 0, 0)]].flat();
    const counters = having(events);
    expect(valuesOf(counters, 0, 0, 4 * day)).toMatchObject({
      seen_before: 1,
      clicked_before: 1,
      clicks_before_log: Math.log1p(1),
      click_age_days_log: Math.log1p(4),
      unclicked_before_log: Math.log1p(2),
      exposure_age_days_log: Math.log1p(2),
    });
    expect(valuesOf(counters, 1, 0, 4 * day)).toMatchObject({ seen_before: 1, clicked_before: 0 });
    const never = { seen_before: 0, clicked_before: 0, click_age_days_log: 0, exposure_age_days_log: 0 };
    expect(valuesOf(counters, 0, 1, 4 * day)).toMatchObject(never);
  });

  it('tell how old an item is by its first click, and that it is cold without one', () => {
    const counters = having([clicked(0, 0, day), clicked(0, 1, 0), [exposed(1, 0, 0)]].flat());
    expect(valuesOf(counters, 0, 1, 9 * day)).toMatchObject({ cold: 0, item_age_days_log: Math.log1p(9) });
    expect(valuesOf(counters, 1, 1, 9 * day)).toMatchObject({ cold: 1, item_age_days_log: 0 });
  });

  it('do not take unknown category values for one another', () => {
    const values = valuesOf(having(clicked(3, 0, 0)), 3, 0, 1);
    expect(values).toMatchObject({ colour_in_history: 0, colour_clicks_log: 0, user_colour_clicks_log: 0 });
  });

  it('know an event only when the lag has passed', () => {
    const counters = having(clicked(0, 0, 0), { lag: day });
    expect(valuesOf(counters, 0, 0, day)).toMatchObject({ cold: 1, clicked_before: 0, user_clicks_log: 0 });
    const known = { cold: 0, clicked_before: 1, click_age_days_log: Math.log1p((day + 1) / day) };
    expect(valuesOf(counters, 0, 0, day + 1)).toMatchObject(known);
  });

  it('of what users share know whole periods, of the user all up to the moment', () => {
    const counters = having([clicked(0, 0, day - 1), clicked(0, 0, day + 1)].flat(), { period: day });
    expect(valuesOf(counters, 0, 0, day + 2)).toMatchObject({
      item_clicks_log: Math.log1p(1),
      colour_clicks_log: Math.log1p(1),
      user_clicks_log: Math.log1p(2),
      user_colour_clicks_log: Math.log1p(2),
      clicks_before_log: Math.log1p(2),
    });
  });

  it('without exposures have no rates, and count clicks', () => {
    const counters = having([{ kind: 'click', user: 0, item: 0, time: 0 }], { withExposures: false });
    expect(counters.names.filter((name) => /rate|exposure|unclicked/.test(name))).toEqual([]);
    const known = { item_clicks_log: Math.log1p(1), clicked_before: 1 };
    expect(valuesOf(counters, 0, 0, 1)).toMatchObject(known);
  });

  it('never depend on events at or after the time described, in whatever order events come', () => {
    const event = fc.record({
      kind: fc.constantFrom('exposure' as const, 'click' as const),
      user: fc.nat(1),
      item: fc.nat(3),
      time: fc.nat(50 * day),
    });
    const some = fc.array(event, { maxLength: 20 });
    const lag = fc.constantFrom(0, 1, day);
    fc.assert(
      fc.property(some, some, fc.nat(50 * day), lag, (log, late, time, lag) => {
        const future = late.map((each) => ({ ...each, time: each.time + time }));
        const past = having(log, { lag }).describe(0, 0, time);
        expect(having([...log, ...future], { lag }).describe(0, 0, time)).toEqual(past);
        expect(having([...future, ...log], { lag }).describe(0, 0, time)).toEqual(past);
      }),
    );
  });

  it('take an event that comes after a later one has been counted', () => {
    const counters = having(clicked(0, 0, 5));
    counters.describe(0, 0, 6);
    for (const event of clicked(0, 0, 2)) counters.observe(event);
    expect(valuesOf(counters, 0, 0, 6)).toMatchObject({ clicks_before_log: Math.log1p(2) });
  });

  it('refuse to be asked about a time before the last one: they know too much', () => {
    const counters = having(clicked(0, 0, 5));
    counters.describe(0, 0, 6);
    expect(() => counters.describe(0, 0, 5)).toThrow(/cannot tell/);
  });
});
