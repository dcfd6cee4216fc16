import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chiSquaredTail } from '../metrics/chi-squared.ts';
import { armOf, sharesAt } from './assignment.ts';
import { type Experiment, parseExperiment } from './definition.ts';

const start = Date.UTC(2024, 2, 1);
const day = 86_400_000;
const iso = (time: number) => new Date(time).toISOString();

function experiment(salt: string, shares: readonly number[], parts: readonly number[] = []): Experiment {
  return parseExperiment({
    name: 'e',
    salt,
    start: iso(start),
    arms: shares.map((share, arm) => ({ name: `arm ${arm}`, share })),
    ramp: parts.map((part, step) => ({ from: iso(start + step * day), part })),
  });
}

const salts = fc.string({ minLength: 1, maxLength: 12 });
const users = Array.from({ length: 4000 }, (_, user) => `user${user}`);
const nameOf = (from: Experiment, user: string, time: number) => armOf(from, user, time)?.name ?? null;

/** Shares of two to five arms, together at most 1. */
const someShares = fc
  .array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 5 })
  .chain((weights) => {
    const sum = weights.reduce((all, weight) => all + weight, 0);
    return fc.constantFrom(1, 0.6).map((whole) => weights.map((weight) => (whole * weight) / sum));
  });

describe('the arm of a user', () => {
  it('is dealt by share: counts lie within five standard deviations of the binomial', () => {
    fc.assert(
      fc.property(salts, someShares, (salt, shares) => {
        const from = experiment(salt, shares);
        for (const [arm, share] of shares.entries()) {
          const count = users.filter((user) => nameOf(from, user, start) === `arm ${arm}`).length;
          const spread = Math.sqrt(users.length * share * (1 - share));
          expect(Math.abs(count - share * users.length)).toBeLessThan(5 * spread + 1);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('says nothing of the arm that the same user has under another salt', () => {
    fc.assert(
      fc.property(salts, salts, (one, other) => {
        fc.pre(one !== other);
        const [first, second] = [experiment(one, [0.5, 0.5]), experiment(other, [0.3, 0.7])];
        const counts = [
          [0, 0],
          [0, 0],
        ];
        for (const user of users) {
          const row = nameOf(first, user, start) === 'arm 0' ? 0 : 1;
          counts[row]![nameOf(second, user, start) === 'arm 0' ? 0 : 1]! += 1;
        }
        expect(chiSquaredTail(independence(counts), 1)).toBeGreaterThan(1e-6);
      }),
      { numRuns: 60 },
    );
  });

  it('never changes while a ramp goes on, but from control into a treatment', () => {
    fc.assert(
      fc.property(
        salts,
        someShares,
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 6 }),
        (salt, shares, steps) => {
          const parts = steps.map((step) => step / 100).sort((a, b) => a - b);
          const from = experiment(salt, shares, parts);
          for (const user of users.slice(0, 500)) {
            const arms = parts.map((_, step) => nameOf(from, user, start + step * day));
            for (const [step, arm] of arms.entries()) {
              const next = arms[step + 1] ?? arm;
              if (arm !== 'arm 0') expect(next).toBe(arm);
              else expect(next).not.toBe(null);
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('has the shares of the step of the ramp, the rest of the treatments being control', () => {
    const from = experiment('s', [0.25, 0.5, 0.25], [0.1, 1]);
    expect(sharesAt(from, start)).toEqual([0.925, 0.05, 0.025].map((share) => expect.closeTo(share, 12)));
    expect(sharesAt(from, start + day)).toEqual([0.25, 0.5, 0.25].map((share) => expect.closeTo(share, 12)));
    for (const [arm, share] of sharesAt(from, start).entries()) {
      const count = users.filter((user) => nameOf(from, user, start) === `arm ${arm}`).length;
      expect(Math.abs(count - share * users.length)).toBeLessThan(
        5 * Math.sqrt(users.length * share * (1 - share)),
      );
    }
  });

  it('is none before the start, from the end on, and for users whom no arm has', () => {
    const from = { ...experiment('s', [0.1, 0.1]), end: start + day };
    expect(users.every((user) => armOf(from, user, start - 1) === null)).toBe(true);
    expect(users.every((user) => armOf(from, user, start + day) === null)).toBe(true);
    const with_ = users.filter((user) => armOf(from, user, start) !== null).length;
    expect(Math.abs(with_ / users.length - 0.2)).toBeLessThan(0.04);
  });

  it('is the place of MurmurHash3 of salt:user, as others compute it', () => {
    // Of a separate implementation of the published algorithm in Python, for abc:42, abc:43, abc:44 and abc:45.
    const places = [3769326227, 2415362168, 2925903512, 3507760951];
    for (const [user, place] of places.entries()) {
      const own = place / 2 ** 32;
      for (const share of [own * 0.999, own * 1.001]) {
        const from = experiment('abc', [share, 1 - share]);
        expect(nameOf(from, `${42 + user}`, start)).toBe(own < share ? 'arm 0' : 'arm 1');
      }
    }
  });
});

/** Chi-squared of a table of two by two. */
function independence(counts: readonly (readonly number[])[]): number {
  const rows = counts.map((row) => row[0]! + row[1]!);
  const columns = [0, 1].map((column) => counts[0]![column]! + counts[1]![column]!);
  const all = rows[0]! + rows[1]!;
  let sum = 0;
  for (const row of [0, 1])
    for (const column of [0, 1]) {
      const expected = (rows[row]! * columns[column]!) / all;
      sum += (counts[row]![column]! - expected) ** 2 / expected;
    }
  return sum;
}
