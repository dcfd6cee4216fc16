import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { auc, gauc } from './auc.ts';
import { deLongTest } from './delong.ts';
import { groupByIds } from './groups.ts';
import { ndcg } from './ndcg.ts';
import { logLoss } from './probability.ts';
import { rowsOfSlice, type ScoredRows } from './slices.ts';
import {
  aucInfluence,
  gaucInfluence,
  logLossInfluence,
  ndcgInfluence,
  type UserMetric,
} from './user-influence.ts';

/** Page views of four rows; the users of `views`; scores with ties, between 0 and 1. */
function makeRows(views: readonly number[], random: Random): ScoredRows {
  const labels = Uint8Array.from({ length: 4 * views.length }, () => (random.uniform() < 0.4 ? 1 : 0));
  return {
    labels,
    scores: Float64Array.from(labels, (label) => Math.round(5 * (label + 4 * random.uniform())) / 25),
    users: Int32Array.from(labels, (_, row) => views[Math.floor(row / 4)]!),
    pageViews: Int32Array.from(labels, (_, row) => Math.floor(row / 4)),
  };
}

/** The rows of users repeated, each time with page views of their own. */
function weighted(rows: ScoredRows, times: (user: number) => number): ScoredRows {
  const places = Array.from(rows.users.keys());
  const most = Math.max(...places.map((row) => times(rows.users[row]!)));
  const repeats = Array.from({ length: most }, (_, repeat) => {
    return places.filter((row) => times(rows.users[row]!) > repeat).map((row) => ({ row, repeat }));
  }).flat();
  const taken = rowsOfSlice(rows, {
    family: '',
    name: '',
    rows: Int32Array.from(repeats, ({ row }) => row),
  });
  const pageViews = taken.pageViews.map((view, place) => view + 1000 * repeats[place]!.repeat);
  return { ...taken, pageViews };
}

const metrics: Readonly<Record<string, { influence: UserMetric; plain: (rows: ScoredRows) => number }>> = {
  AUC: { influence: aucInfluence, plain: ({ scores, labels }) => auc(scores, labels) },
  GAUC: {
    influence: gaucInfluence,
    plain: ({ scores, labels, users }) => gauc(scores, labels, users).gauc,
  },
  'log loss': { influence: logLossInfluence, plain: ({ scores, labels }) => logLoss(scores, labels) },
  NDCG: {
    influence: ndcgInfluence(3),
    plain: ({ scores, labels, pageViews }) => ndcg(scores, labels, pageViews, 3).ndcg,
  },
};

const views = [7, 7, 7, 3, 3, 9, 9, 9, 9, 5, 4, 4, 8, 8, 8];

describe.each(Object.entries(metrics))('the influence of users on %s', (name, { influence, plain }) => {
  // Log loss alone needs no clicks.
  const isDefinedWithout = name === 'log loss';
  const rows = makeRows(views, Random.seeded(1, 'influence'));
  const users = groupByIds(rows.users);

  it('is what the metric changes by where a user is left out', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const rows = makeRows(views, Random.seeded(seed, 'rows'));
        const users = groupByIds(rows.users);
        const found = influence(rows, users);
        expect(found.value).toBeCloseTo(plain(rows), 12);
        for (const id of new Set(views)) {
          const without = weighted(rows, (user) => (user === id ? 0 : 1));
          const change = found.value - plain(without);
          expect(found.influence[users.ofRow[rows.users.indexOf(id)]!]).toBeCloseTo(change, 10);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('is no number where nothing is left without a user', () => {
    const alone = { ...rows, labels: rows.labels.map((label, row) => (rows.users[row] === 9 ? label : 0)) };
    const own = users.ofRow[rows.users.indexOf(9)]!;
    const found = influence(alone, users).influence;
    for (const [user, value] of found.entries())
      expect(Number.isFinite(value), `user ${user}`).toBe(user !== own || isDefinedWithout);
  });

  it('knows how many equally heavy users would tell as much', () => {
    const { users: counted, effectiveUsers } = influence(rows, users);
    expect(effectiveUsers).toBeLessThan(counted);
    const even = makeRows([1, 2, 3, 4, 5, 6], Random.seeded(3, 'even'));
    const same = { ...even, labels: even.labels.map((_, row) => row % 2) };
    expect(influence(same, groupByIds(same.users)).effectiveUsers).toBeCloseTo(6, 12);
  });

  it('is nought, and counts no user, where nothing of the user counts', () => {
    const unclicked = {
      ...rows,
      labels: rows.labels.map((label, row) => (rows.users[row] === 5 ? 0 : label)),
    };
    const found = influence(unclicked, users);
    const own = found.influence[users.ofRow[rows.users.indexOf(5)]!]!;
    expect(found.users).toBe(own === 0 ? users.count - 1 : users.count);
  });

  it('gives the variance of a bootstrap over users, for one ranker and for the difference of two', () => {
    const random = Random.seeded(2, 'bootstrap');
    const many = Array.from({ length: 160 }, (_, view) => Math.floor(Math.sqrt(15 * view)));
    const first = makeRows(many, random);
    const second = { ...first, scores: first.scores.map((score) => (score + random.uniform()) / 2) };
    const users = groupByIds(first.users);
    const [a, b] = [influence(first, users), influence(second, users)];
    const difference = b.influence.map((value, user) => value - a.influence[user]!);
    const variance = (values: Float64Array) =>
      (values.reduce((sum, value) => sum + value ** 2, 0) * (users.count - 1)) / users.count;
    const drawn = Array.from({ length: 150 }, () => {
      const counts = new Int32Array(users.count);
      for (let draw = 0; draw < users.count; draw++) counts[random.integer(users.count)]! += 1;
      const times = (user: number) => counts[users.ofRow[first.users.indexOf(user)]!]!;
      const [one, other] = [plain(weighted(first, times)), plain(weighted(second, times))];
      return [one, other - one] as const;
    });
    for (const [place, closed] of [a.influence, difference].entries()) {
      const values = drawn.map((pair) => pair[place]!);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const resampled = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      expect(Math.sqrt(variance(closed) / resampled)).toBeGreaterThan(0.8);
      expect(Math.sqrt(variance(closed) / resampled)).toBeLessThan(1.25);
    }
  });
});

describe('the clustered variance of AUC', () => {
  it("is DeLong's where every user has one row, but for the degrees of freedom of each class", () => {
    const random = Random.seeded(3, 'delong');
    const labels = Uint8Array.from({ length: 80 }, (_, row) => row % 2);
    const scores = [1, 2].map(() => Float64Array.from(labels, (label) => label + random.normal()));
    const [before, after] = [scores[0]!, scores[1]!];
    const ids = Int32Array.from(labels, (_, row) => row);
    const influence = (of: Float64Array) =>
      aucInfluence({ scores: of, labels, users: ids, pageViews: ids }, groupByIds(ids)).influence;
    const first = influence(before);
    const difference = influence(after).map((value, user) => value - first[user]!);
    const squares = difference.reduce((sum, value) => sum + value ** 2, 0);
    // DeLong divides the squares of each class by m (m − 1), and leaving out a row by (m − 1)², here 40 · 39 and 39².
    expect((squares * 39) / 40).toBeCloseTo(deLongTest(before, after, labels).variance, 12);
  });

  it('is larger than DeLong’s where the rows of a user rise and fall together', () => {
    const random = Random.seeded(4, 'clusters');
    const labels = Uint8Array.from({ length: 600 }, (_, row) => row % 2);
    const clustered = Float64Array.from(labels, () => random.normal());
    for (let row = 0; row < 600; row++) clustered[row] = clustered[row - (row % 10) + (row % 2)]!;
    const users = Int32Array.from(labels, (_, row) => Math.floor(row / 10));
    const { influence } = aucInfluence(
      { scores: clustered, labels, users, pageViews: users },
      groupByIds(users),
    );
    const squares = influence.reduce((sum, value) => sum + value ** 2, 0);
    const { variance } = deLongTest(new Float64Array(600), clustered, labels);
    expect(squares).toBeGreaterThan(2 * variance);
  });
});
