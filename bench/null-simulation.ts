/**
 * How often a lift of nothing is called one at 5 %, users and seeds crossed, by effects and by whole rankers; and how often
 * the interval of one seed covers the lift, also of few users and of heavy ones.
 */

import { type CrossedSources, combineSources, crossedSources } from '../src/metrics/crossed-sources.ts';
import { measureLift } from '../src/metrics/lift.ts';
import { known } from '../src/metrics/measured.ts';
import type { ScoredRows } from '../src/metrics/slices.ts';
import { studentQuantile } from '../src/metrics/student-t.ts';
import { summarise } from '../src/metrics/summary.ts';
import {
  aucInfluence,
  gaucInfluence,
  logLossInfluence,
  ndcgInfluence,
} from '../src/metrics/user-influence.ts';
import { Random } from '../src/random.ts';
import { defined } from '../test/support/measured.ts';
import { nullLift } from '../test/support/null-lift.ts';
import type { Benchmark } from './benchmark.ts';
import { type Row, rowOf } from './report.ts';

const runs = 2000;
const users = 200;

export const nullSimulation: Benchmark = async ({ only, say }) => {
  const cases = [...effectCases('effects', isFound), ...rankerCases()];
  const peers = effectCases('Welch and Satterthwaite', isFoundByWelch);
  const rows = [...cases, ...peers].flatMap(({ name, found }): Row[] => {
    if (!name.includes(only)) return [];
    say(name);
    const random = Random.seeded(1, name);
    const count = Array.from({ length: runs }, () => found(random)).filter((found) => found).length;
    return [rowOf(name, '% of p < 0.05', 'lower', [(100 * count) / runs], {})];
  });
  const covered = coverageCases().flatMap(({ name, covers }): Row[] => {
    if (!name.includes(only)) return [];
    say(name);
    const random = Random.seeded(1, name);
    const told = Array.from({ length: runs }, () => covers(random)).filter((covers) => covers !== null);
    const share = told.filter((covers) => covers).length / told.length;
    return [rowOf(name, '% covered', 'higher', [100 * share], {})];
  });
  return { rows: [...rows, ...covered], missing: [] };
};

interface Case {
  readonly name: string;
  /** Whether a lift is found in a table without any. */
  readonly found: (random: Random) => boolean;
}

/** Noise in standard deviations of the draw of users. */
function effectCases(rule: string, found: (sources: CrossedSources) => boolean): Case[] {
  return [0, 1, 3].flatMap((interaction) =>
    [2, 3, 5, 10].flatMap((seeds) =>
      [0, 1, 3, 10].map((seed) => ({
        name: `${rule}, ${seeds} seeds, seed noise ${seed}, interaction ${interaction}`,
        found: (random) => found(crossedSources(nullLift(random, users, seeds, { seed, interaction }))),
      })),
    ),
  );
}

function isFound(sources: CrossedSources): boolean {
  return combineSources(sources).p < 0.05;
}

/** By var_users + var_seeds / S, the degrees of freedom as of Satterthwaite (1946) and Welch (1947). */
function isFoundByWelch({ seedLifts, users, userVariance }: CrossedSources): boolean {
  const { mean, std } = summarise(seedLifts);
  const seedVariance = (std ?? 0) ** 2 / seedLifts.length;
  const variance = userVariance + seedVariance;
  const squares = userVariance ** 2 / (users - 1) + seedVariance ** 2 / (seedLifts.length - 1);
  return Math.abs(mean) > studentQuantile(0.975, variance ** 2 / squares) * Math.sqrt(variance);
}

function rankerCases(): Case[] {
  return [2, 3, 5].flatMap((seeds) =>
    [0, 0.1, 1].map((luck) => ({
      name: `rankers, ${seeds} seeds, luck ${luck}`,
      found: (random) => rankersP(random, seeds, luck) < 0.05,
    })),
  );
}

/** Rows of a user, whose number is told: about as many for all, or few users with many. */
const rowsOfUser: Readonly<Record<string, (random: Random, user: number, users: number) => number>> = {
  'even users': (random) => 2 + random.integer(14),
  'heavy users': (random) => Math.min(1000, 2 + Math.floor(6 * Math.exp(1.5 * random.normal()))),
  'one user with 30 % of the rows': (random, user, users) =>
    user === 0 ? Math.floor(3.7 * users) : 2 + random.integer(14),
};

const metrics = {
  AUC: aucInfluence,
  GAUC: gaucInfluence,
  'log loss': logLossInfluence,
  'NDCG@5': ndcgInfluence(5),
} as const;

interface CoverageCase {
  readonly name: string;
  /** null where the rows that were drawn do not define the interval. */
  readonly covers: (random: Random) => boolean | null;
}

function coverageCases(): CoverageCase[] {
  return Object.entries(metrics).flatMap(([metric, influence]) =>
    Object.entries(rowsOfUser).flatMap(([who, rows]) =>
      [10, 20, 50, 200].map((count) => ({
        name: `interval of ${metric}, ${count} users, ${who}`,
        covers: (random: Random) => {
          const [before, after] = rankerPair(
            Array.from({ length: count }, (_, user) => rows(random, user, count)),
            random,
          );
          const ci95 = known(measureLift(influence, [before], [after]).ci95);
          return ci95 && ci95[0] <= 0 && ci95[1] >= 0;
        },
      })),
    ),
  );
}

/** Two rankers of the same make, so that neither is better, each of which can tell more of some users than of others. */
function rankerPair(rowsOfUsers: readonly number[], random: Random): readonly [ScoredRows, ScoredRows] {
  const users = Int32Array.from(rowsOfUsers.flatMap((rows, user) => Array<number>(rows).fill(user)));
  const taste = rowsOfUsers.map(() => random.normal());
  const labels = Uint8Array.from(users, (user) => (random.normal() > 0.7 + taste[user]! ? 1 : 0));
  const pageViews = Int32Array.from(users, (user, row) => 10_000 * user + Math.floor(row / 5));
  const ranker = (): ScoredRows => {
    const skill = rowsOfUsers.map(() => 1 + 0.5 * random.normal());
    const scores = Float64Array.from(labels, (label, row) => {
      return 1 / (1 + Math.exp(1 - label * skill[users[row]!]! - random.normal()));
    });
    return { scores, labels, users, pageViews };
  };
  return [ranker(), ranker()];
}

/**
 * The p-value of two rankers of the same make. What each can tell differs by user and row and by seed, and by luck some
 * seeds can tell less of everything.
 */
function rankersP(random: Random, seeds: number, luck: number): number {
  const rowsOfUsers = Array.from({ length: users }, (_, user) => {
    return Array<number>(2 + random.integer(14)).fill(user);
  });
  const owners = Int32Array.from(rowsOfUsers.flat());
  const taste = rowsOfUsers.map(() => random.normal());
  const labels = Uint8Array.from(owners, (user) => (random.normal() > 0.7 + taste[user]! ? 1 : 0));
  const ranker = () => {
    const known = rowsOfUsers.map(() => 1 + 0.5 * random.normal());
    return Array.from({ length: seeds }, (): ScoredRows => {
      const noise = Math.exp(luck * random.normal());
      const scores = Float64Array.from(labels, (label, row) => {
        return label * known[owners[row]!]! + noise * random.normal();
      });
      return { scores, labels, users: owners, pageViews: owners };
    });
  };
  return defined(measureLift(aucInfluence, ranker(), ranker()).p);
}
