import { describe, expect, it } from 'vitest';
import { dealt, drawShop, lifted, regulars, totalsOf } from '../../test/support/live-shop.ts';
import { known } from '../metrics/measured.ts';
import { Random } from '../random.ts';
import { ExperimentCourse } from './course.ts';
import { estimateArms } from './estimates.ts';
import { fixedTest } from './lift.ts';
import { detectableLift, fixedPower, neededDrifts, usersNeeded } from './power.ts';

const { fixed, sequential } = neededDrifts({ power: 0.8, treatments: 1, looks: 28 });
const spread = { variation: 3, explained: 0 };

describe('the power calculator', () => {
  it('of one look is the formula of every textbook, (1.96 + 0.84)² (variances) / lift², the treated ones varying more by the lift', () => {
    const users = usersNeeded(spread, 0.01, fixed.drift);
    const variances = 9 + 9 * 1.01 ** 2;
    expect(users / (((1.959964 + 0.841621) ** 2 * variances) / 0.0001)).toBeCloseTo(1, 4);
    expect(fixedPower(1.959964 + 0.841621, 0.05)).toBeCloseTo(0.8, 4);
  });

  it('asks for as many users less as CUPED explains', () => {
    for (const { drift } of [fixed, sequential]) {
      const [plain, cuped] = [0, 0.4].map((explained) => usersNeeded({ ...spread, explained }, 0.01, drift));
      expect(cuped! / plain!).toBeCloseTo(0.6, 4);
    }
  });

  it('asks for more for daily looks, and for several treatments, and is done before the end on average', () => {
    const cost = (sequential.drift / fixed.drift) ** 2;
    expect(cost).toBeGreaterThan(1.5);
    expect(cost).toBeLessThan(1.9);
    expect(sequential.meanTime).toBeLessThan(0.8);
    expect(neededDrifts({ power: 0.8, treatments: 3, looks: 7 }).fixed.drift).toBeGreaterThan(fixed.drift);
  });

  it('says which lift the users that it asks for would find: the one that was asked for', () => {
    for (const { drift } of [fixed, sequential])
      expect(detectableLift(spread, usersNeeded(spread, 0.01, drift), drift)).toBeCloseTo(0.01, 6);
    expect(detectableLift(spread, 70, fixed.drift)).toBe(null);
  });
});

describe('a planted lift', () => {
  const days = 28;
  const lift = 0.08;
  /** Draws of users, each of which are dealt to arms so many times. */
  const [shops, deals] = [10, 25];

  /** Of the revenue of regular buyers. */
  function spreadOf(random: Random) {
    const trial = drawShop(random, { ...regulars, users: 10_000 });
    const before = trial.before === null ? null : { numerator: trial.before.revenue, denominator: null };
    const [arm] = estimateArms(
      { numerator: totalsOf(trial).revenue, denominator: null },
      before,
      trial.arm,
      1,
    );
    if (arm?.adjusted == null) throw new Error('nothing was drawn');
    const { plain, adjusted, users } = arm;
    return {
      variation: Math.sqrt(plain.variance * users) / plain.value,
      explained: 1 - adjusted.variance / plain.variance,
    };
  }

  it.each([
    ['once', false],
    ['once', true],
    ['daily', true],
  ] as const)('looked at %s is found by as many users as promised, with CUPED: %s', (looks, cuped) => {
    const random = Random.seeded(2, 'planted');
    const { variation, explained } = spreadOf(random);
    const { drift } = looks === 'once' ? fixed : sequential;
    const users = 2 * usersNeeded({ variation, explained: cuped ? explained : 0 }, lift, drift);
    let found = 0;
    const draws = Array.from({ length: shops }, () => {
      const shop = drawShop(random, { ...regulars, users });
      return Array.from({ length: deals }, () => dealt(shop, () => random.integer(2)));
    }).flat();
    for (const draw of draws) {
      const observations = lifted(draw, lift);
      // Who looks once sees all days as one.
      const last = looks === 'once' ? asOneDay(observations) : observations;
      const course = new ExperimentCourse(last, looks === 'once' ? 1 : days, {
        ...{ plannedDays: days, cuped, winsorize: null, metrics: ['gmv'] },
      });
      let p = 1;
      for (let look = course.next(); look !== undefined; look = course.next()) {
        const [comparison] = look.metrics.gmv?.comparisons ?? [];
        if (comparison?.absolute.kind !== 'value') continue;
        p =
          looks === 'once' ? fixedTest(comparison.absolute.value).p : (known(comparison.sequential)?.p ?? p);
      }
      if (p < 0.05) found++;
    }
    // Three standard deviations of so many draws at 80 %.
    expect(Math.abs(found / draws.length - 0.8)).toBeLessThan(3 * Math.sqrt(0.16 / draws.length));
  });
});

function asOneDay(observations: ReturnType<typeof drawShop>) {
  const { entered, rows } = observations;
  return { ...observations, entered: entered.map(() => 0), rows: { ...rows, day: rows.day.map(() => 0) } };
}
