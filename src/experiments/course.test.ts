import { describe, expect, it } from 'vitest';
import { dealt, drawShop, heavyTailed, lifted, regulars } from '../../test/support/live-shop.ts';
import { defined } from '../../test/support/measured.ts';
import { Random } from '../random.ts';
import { type CourseOptions, ExperimentCourse, type Look, type Observations } from './course.ts';
import { fixedTest } from './lift.ts';
import { emptyTotals } from './metrics.ts';
import { boundary, tightestInformation } from './sequential.ts';

const options: CourseOptions = { plannedDays: 28, cuped: true, winsorize: null };

function looksOf(observations: Observations, days: number, more: Partial<CourseOptions> = {}): Look[] {
  const course = new ExperimentCourse(observations, days, { ...options, ...more });
  const looks: Look[] = [];
  for (let look = course.next(); look !== undefined; look = course.next()) looks.push(look);
  return looks;
}

const column = (...values: number[]) => Float64Array.from(values);

/** Four users, of whom the last one comes on the second day. */
const small: Observations = {
  arms: 2,
  arm: Int32Array.of(0, 0, 1, 1),
  entered: Int32Array.of(0, 0, 0, 1),
  rows: {
    user: Int32Array.of(0, 1, 2, 0, 3, 1),
    day: Int32Array.of(0, 0, 0, 1, 1, 0),
    exposures: column(4, 2, 5, 1, 10, 0),
    clicks: column(1, 0, 2, 1, 1, 0),
    orders: column(0, 1, 1, 0, 0, 1),
    revenue: column(0, 10, 30, 0, 0, 6),
  },
  before: null,
};

describe('the course of an experiment', () => {
  it('knows at the end of a day what was until then, and of users who had come by then', () => {
    const [first, second] = looksOf(small, 2);
    expect(first).toMatchObject({ day: 0, users: [2, 1], userDays: 3 });
    expect(first?.metrics.gmv?.arms.map(({ plain }) => plain.value)).toEqual([8, 30]);
    expect(first?.metrics.ctr?.arms.map(({ plain }) => plain.value)).toEqual([1 / 6, 2 / 5]);
    expect(second).toMatchObject({ day: 1, users: [2, 2], userDays: 5 });
    expect(second?.metrics.gmv?.arms.map(({ plain }) => plain.value)).toEqual([8, 15]);
    expect(second?.metrics.orders?.arms.map(({ plain }) => plain.value)).toEqual([1, 0.5]);
    expect(second?.metrics.ctr?.arms.map(({ plain }) => plain.value)).toEqual([2 / 7, 3 / 15]);
  });

  it('says nothing that holds at every look before both arms have a hundred users with anything', () => {
    const [, last] = looksOf(small, 2);
    const [comparison] = last?.metrics.gmv?.comparisons ?? [];
    expect(comparison?.sequential).toMatchObject({ why: expect.stringContaining('100 users') });
    expect(comparison?.absolute.kind).toBe('value');
  });

  it('has an interval that is tightest at the planned end, told by the user-days of the first day', () => {
    const random = Random.seeded(1, 'course');
    const observations = dealt(drawShop(random, regulars), () => random.integer(2));
    const looks = looksOf(observations, 28, { metrics: ['gmv'] });
    const planned = 28 * (looks[0]?.userDays ?? 0);
    for (const { metrics, userDays } of looks.slice(5)) {
      const [comparison] = metrics.gmv?.comparisons ?? [];
      const { value, standardError } = defined(comparison?.absolute);
      const edge = boundary((tightestInformation(0.05) * userDays) / planned, 0.05);
      const { ci95 } = defined(comparison?.sequential);
      expect((ci95[1] - value) / standardError).toBeCloseTo(edge, 8);
    }
    const ps = looks.flatMap(({ metrics }) => {
      const sequential = metrics.gmv?.comparisons[0]?.sequential;
      return sequential?.kind === 'value' ? [sequential.value.p] : [];
    });
    expect(ps.length).toBeGreaterThan(20);
    expect(ps).toEqual(ps.toSorted((a, b) => b - a));
  });

  it('cuts revenue at the quantile that was asked for, and nothing else', () => {
    const whales = { ...small, rows: { ...small.rows, revenue: column(0, 10, 1e6, 0, 0, 6) } };
    const [plain] = looksOf(whales, 1);
    const [cut] = looksOf(whales, 1, { winsorize: 0.9 });
    // Users have 0, 16 and a million: the 0.9 quantile lies four fifths of the way between the last two.
    expect(cut?.metrics.gmv?.cap).toBeCloseTo(16 + 0.8 * (1e6 - 16), 3);
    expect(cut?.metrics.gmv?.arms[1]?.plain.value).toBeCloseTo(16 + 0.8 * (1e6 - 16), 3);
    expect(cut?.metrics.orders).toEqual(plain?.metrics.orders);
    expect(plain?.metrics.gmv?.cap).toBe(null);
  });

  it('corrects p-values of several treatments together', () => {
    const random = Random.seeded(1, 'three arms');
    const three = { ...dealt(drawShop(random, regulars), () => random.integer(3)), arms: 3 };
    const last = looksOf(lifted(three, 0.3), 28, { metrics: ['gmv'] }).at(-1);
    const tests = last?.metrics.gmv?.comparisons.map(({ sequential }) => defined(sequential)) ?? [];
    const [smaller, larger] = tests.toSorted((a, b) => a.p - b.p);
    expect(smaller?.pCorrected).toBeCloseTo(2 * (smaller?.p ?? 0), 12);
    expect(larger?.pCorrected).toBe(Math.max(larger?.p ?? 0, smaller?.pCorrected ?? 0));
  });

  it('takes nothing of before into account unless it is wanted', () => {
    const random = Random.seeded(2, 'before');
    const observations = dealt(drawShop(random, regulars), () => random.integer(2));
    const [withIt, without] = [true, false].map((cuped) => looksOf(observations, 28, { cuped }).at(-1));
    const errorOf = (look: Look | undefined) =>
      defined(look?.metrics.gmv?.comparisons[0]?.absolute).standardError;
    expect(errorOf(withIt) / errorOf(without)).toBeLessThan(0.95);
    expect(without?.metrics.gmv?.arms.every(({ adjusted }) => adjusted === null)).toBe(true);
    const nothing = { ...observations, before: emptyTotals(observations.arm.length) };
    expect(errorOf(looksOf(nothing, 28).at(-1))).toBeCloseTo(errorOf(without), 10);
  });
});

describe('where no arm is better', () => {
  it('one look rejects in 5 % and daily looks in 5 % at most, heavy tails or not; in 300 draws', () => {
    const random = Random.seeded(1, 'nothing');
    const draws = 300;
    const rejected = { once: 0, daily: 0, everyDayByOnce: 0 };
    for (let draw = 0; draw < draws; draw++) {
      const shop = drawShop(random, { ...heavyTailed, users: 2500, conversion: 0.3 });
      const looks = looksOf(
        dealt(shop, () => random.integer(2)),
        28,
        { metrics: ['gmv'] },
      );
      const comparisons = looks.flatMap(({ metrics }) => metrics.gmv?.comparisons[0] ?? []);
      const ps = comparisons.map(({ absolute }) =>
        absolute.kind === 'value' ? fixedTest(absolute.value).p : 1,
      );
      if (ps.at(-1)! < 0.05) rejected.once++;
      if (ps.some((p) => p < 0.05)) rejected.everyDayByOnce++;
      if (defined(comparisons.at(-1)?.sequential).p <= 0.05) rejected.daily++;
    }
    // Three standard deviations of 300 draws at 5 %.
    expect(rejected.once / draws).toBeGreaterThan(0.012);
    expect(rejected.once / draws).toBeLessThan(0.088);
    expect(rejected.daily / draws).toBeLessThan(0.05);
    // Why a sequential test is needed at all.
    expect(rejected.everyDayByOnce / draws).toBeGreaterThan(0.12);
  });
});
