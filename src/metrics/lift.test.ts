import { describe, expect, it } from 'vitest';
import { defined, gap, value } from '../../test/support/measured.ts';
import { rowLift, withCorrection } from './lift.ts';

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
  return rowLift([scored(labels, users, before)], [scored(labels, users, after)], 100);
}

const [mixed, perfect] = [
  [0.4, 0.3, 0.2, 0.1],
  [0.1, 0.2, 0.3, 0.4],
];

describe('the lift of a row', () => {
  it('is defined as a whole for clicked and unclicked rows of several users', async () => {
    const lift = await liftOf([0, 1, 0, 1], [1, 1, 2, 2], mixed, perfect);
    expect(defined(lift.auc)).toBeCloseTo(0.75 - 0.25, 12);
    expect(Object.values(lift).map(({ kind }) => kind)).toEqual(Array(5).fill('value'));
  });

  it('has a size but no interval for one user', async () => {
    const lift = await liftOf([0, 1, 0, 1], [1, 1, 1, 1], mixed, perfect);
    expect(defined(lift.auc)).toBeCloseTo(0.5, 12);
    const none = gap('The confidence interval is undefined: the test rows have 1 user.');
    expect(lift).toMatchObject({ ci95: none, p: none, pCorrected: none, pDeLong: { kind: 'value' } });
  });

  it("has no p-value of DeLong's test for a single click", async () => {
    const lift = await liftOf([0, 1, 0, 0], [1, 1, 2, 2], mixed, perfect);
    expect([lift.auc.kind, lift.ci95.kind]).toEqual(['value', 'value']);
    expect(lift.pDeLong).toEqual(
      gap('The DeLong test is undefined: there are 1 clicked and 3 unclicked rows, not two of each.'),
    );
  });

  it('is undefined as a whole where every row is clicked, for a reason each', async () => {
    const lift = await liftOf([1, 1, 1, 1], [1, 1, 2, 2], mixed, perfect);
    expect(lift.auc).toEqual(gap('AUC is undefined: every row is clicked.'));
    expect(Object.values(lift).map(({ kind }) => kind)).toEqual(Array(5).fill('undefined'));
  });

  it('is zero, and p is 1, for rankers that score all rows alike', async () => {
    const flat = [0.5, 0.5, 0.5, 0.5];
    const lift = await liftOf([0, 1, 0, 1], [1, 1, 2, 2], flat, flat);
    expect(lift).toEqual({
      auc: value(0),
      ci95: value([0, 0]),
      p: value(1),
      pCorrected: value(1),
      pDeLong: value(1),
    });
  });
});

describe('the correction for several lifts', () => {
  const row = (p: number | null) => {
    const figure = p === null ? gap('undefined') : value(p);
    return {
      lift: { auc: value(0), ci95: value([0, 0] as const), p: figure, pCorrected: figure, pDeLong: figure },
    };
  };

  it('counts the lifts that have a p-value, and leaves the others and rows without a lift as they are', async () => {
    const rows = [{ lift: null }, row(0.01), row(null), row(0.04), row(0.01)];
    const corrected = withCorrection(rows).map(({ lift }) => lift?.pCorrected ?? null);
    expect(corrected).toEqual([null, value(0.03), gap('undefined'), value(0.04), value(0.03)]);
  });
});
