import { describe, expect, it } from 'vitest';
import { defined, gap, value } from '../../test/support/measured.ts';
import { Random } from '../random.ts';
import { correctionOver, measureLift, wholeLift } from './lift.ts';
import { aucInfluence } from './user-influence.ts';

/** Rows that each have a page view of their own. */
function scored(labels: readonly number[], users: readonly number[], scores: readonly number[]) {
  return {
    scores: Float32Array.from(scores),
    labels: Uint8Array.from(labels),
    users: Int32Array.from(users),
    pageViews: Int32Array.from(labels, (_, row) => row),
  };
}

function liftOf(labels: readonly number[], users: readonly number[], before: number[], after: number[]) {
  const lift = measureLift(aucInfluence, [scored(labels, users, before)], [scored(labels, users, after)]);
  return correctionOver([lift])(lift);
}

const [mixed, perfect] = [
  [0.4, 0.3, 0.2, 0.1],
  [0.1, 0.2, 0.3, 0.4],
];

describe('the lift of a row', () => {
  it('is defined as a whole for clicked and unclicked rows of several users', () => {
    const [before, after] = [
      [...mixed, 0.5],
      [...perfect, 0.5],
    ];
    const lift = liftOf([0, 1, 0, 1, 1], [1, 1, 2, 2, 2], before, after);
    expect(defined(lift.difference)).toBeCloseTo(5 / 6 - 3 / 6, 12);
    expect(defined(wholeLift(lift))).toMatchObject({ p: defined(lift.p), covers: 'users' });
  });

  it('has a size but no interval for one user', () => {
    const lift = liftOf([0, 1, 0, 1], [1, 1, 1, 1], mixed, perfect);
    expect(defined(lift.difference)).toBeCloseTo(0.5, 12);
    const none = gap('The confidence interval is undefined: the rows that count are of one user.');
    expect(lift).toMatchObject({ ci95: none, p: none, pCorrected: none, detectable: none });
    expect(wholeLift(lift)).toEqual(none);
  });

  it('is undefined as a whole where every row is clicked, for a reason each', () => {
    const lift = liftOf([1, 1, 1, 1], [1, 1, 2, 2], mixed, perfect);
    const none = gap('AUC is undefined: every row is clicked.');
    expect(lift).toMatchObject({ difference: none, ci95: none, p: none, pCorrected: none });
  });

  it('is zero, and p is 1, for rankers that score all rows alike', () => {
    const flat = [0.5, 0.5, 0.5, 0.5];
    const lift = liftOf([0, 1, 0, 1], [1, 1, 2, 2], flat, flat);
    expect(lift).toMatchObject({ difference: value(0), ci95: value([0, 0]), p: value(1) });
  });

  it('has a wider interval where seeds disagree, and as wide a one where they are the same', () => {
    const random = Random.seeded(1, 'seeds');
    const labels = Array.from({ length: 400 }, (_, row) => row % 2);
    const users = labels.map((_, row) => Math.floor(row / 8));
    const ranker = (noise: number) =>
      scored(
        labels,
        users,
        labels.map((label) => label + noise * random.normal()),
      );
    const [baseline, good, bad] = [ranker(2), ranker(1), ranker(3)];
    const width = (treatment: (typeof good)[]) => {
      const [low, high] = defined(
        measureLift(
          aucInfluence,
          treatment.map(() => baseline),
          treatment,
        ).ci95,
      );
      return high - low;
    };
    expect(width([good, good])).toBeCloseTo(width([good]), 10);
    expect(width([good, bad])).toBeGreaterThan(3 * width([good]));
    expect(measureLift(aucInfluence, [baseline, baseline], [good, bad]).covers).toBe('users and seeds');
  });
});

describe('two sides that do not match', () => {
  it('are refused: other seeds, no seeds, other rows', () => {
    const rows = scored([0, 1, 0, 1], [1, 1, 2, 2], mixed);
    const fewer = scored([0, 1, 0], [1, 1, 2], [0.1, 0.2, 0.3]);
    const lift = (baseline: (typeof rows)[], treatment: (typeof rows)[]) => () =>
      measureLift(aucInfluence, baseline, treatment);
    expect(lift([rows], [rows, rows])).toThrow('1 seeds of the baseline and 2 of the treatment');
    expect(lift([], [])).toThrow('0 seeds of the baseline');
    expect(lift([rows], [fewer])).toThrow('4 groups do not match 3 rows');
  });
});

describe('the correction for several lifts', () => {
  const lift = (p: number | null) => {
    const figure = p === null ? gap('undefined') : value(p);
    const [none, covers] = [value(0), 'users'] as const;
    return { difference: none, ci95: value([0, 0] as const), p: figure, detectable: none, covers };
  };

  it('counts the lifts that have a p-value, and leaves the others as they are', () => {
    const lifts = [0.01, null, 0.04, 0.01].map(lift);
    const corrected = lifts.map(correctionOver(lifts)).map(({ pCorrected }) => pCorrected);
    expect(corrected).toEqual([value(0.03), gap('undefined'), value(0.04), value(0.03)]);
  });
});
