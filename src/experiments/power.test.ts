import { describe, expect, it } from 'vitest';
import { detectableLift, fixedPower, neededDrifts, usersNeeded } from './power.ts';

const { fixed, sequential } = neededDrifts({ power: 0.8, treatments: 1, looks: 28 });
const spread = { variation: 3, explained: 0 };

describe('the power calculator', () => {
  it('of one look is the formula of every textbook: 2 (1.96 + 0.84)² variation² / lift²', () => {
    const users = usersNeeded(spread, 0.01, fixed.drift);
    expect(users / ((2 * (1.959964 + 0.841621) ** 2 * 9) / 0.0001)).toBeCloseTo(1, 4);
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
  });
});
