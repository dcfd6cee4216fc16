/** Is one model better than another, or was it the luck of these users and these seeds? */

import { CourierError } from '../errors.ts';
import type { Random } from '../random.ts';
import { groupByIds } from './groups.ts';
import { quantile } from './quantile.ts';
import { type RankedRows, rankRows, weightedAuc } from './ranked.ts';
import { checkBothClasses, checkGroups, checkRows, type Scores, undefinedMetric } from './rows.ts';

export interface PairedBootstrapInput {
  /** Test scores of the model to compare with, one array for each seed. (seeds, R) */
  readonly baseline: readonly Scores[];
  /** The same rows scored by the other model; seed s stands beside the baseline's seed s. (seeds, R) */
  readonly treatment: readonly Scores[];
  readonly labels: Uint8Array;
  readonly users: Int32Array;
  readonly replicates?: number;
  readonly random: Random;
}

export interface PairedDifference {
  /** AUC of the treatment less AUC of the baseline, mean over seeds; 0.01 is one point. */
  readonly difference: number;
  /** The 2.5 % and 97.5 % quantiles of the replicates. */
  readonly ci95: readonly [number, number];
  /** Two-sided; at least 2 / (replicates + 1), so never 0. */
  readonly p: number;
}

interface RankedSeed {
  readonly baseline: RankedRows;
  readonly treatment: RankedRows;
}

/**
 * Paired bootstrap of the AUC difference (Efron and Tibshirani, 1993; p-value with the correction of Davison
 * and Hinkley, 1997, section 4.2). Each replicate draws users with replacement, because the rows of one user
 * are not independent, and seeds with replacement; both models see the same draw. A draw of users that
 * holds one class only is drawn again.
 *
 * @throws CourierError METRIC_UNDEFINED for fewer than two users or rows of one class; VALUE_INVALID for
 *   scores that are not numbers or for sides that differ in seeds or rows
 */
export function pairedBootstrap(input: PairedBootstrapInput): PairedDifference {
  const steps = beginPairedBootstrap(input);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/**
 * The same in steps of a replicate each, between which long work can stop.
 * @throws CourierError at once, as pairedBootstrap does
 */
export function beginPairedBootstrap(input: PairedBootstrapInput): Generator<void, PairedDifference> {
  const { random, replicates = 1000 } = input;
  checkInput(input, replicates);
  const { count, ofRow } = groupByIds(input.users);
  if (count < 2) throw undefinedMetric('The confidence interval', `the test rows have ${count} user`);
  const seeds = input.baseline.map((baseline, seed) => ({
    baseline: rankRows(baseline, input.labels, ofRow),
    treatment: rankRows(input.treatment[seed]!, input.labels, ofRow),
  }));
  const once = new Int32Array(count).fill(1);
  const difference = meanDifference(seeds, once, new Int32Array(seeds.length).fill(1));
  return (function* () {
    const differences = new Float64Array(replicates);
    for (let draw = 0; draw < replicates; draw++) {
      differences[draw] = replicate(seeds, count, random);
      yield;
    }
    differences.sort();
    const ci95 = [quantile(differences, 0.025), quantile(differences, 0.975)] as const;
    return { difference, ci95, p: twoSided(differences) };
  })();
}

function replicate(seeds: readonly RankedSeed[], users: number, random: Random): number {
  const seedCounts = drawCounts(seeds.length, random);
  for (;;) {
    const difference = meanDifference(seeds, drawCounts(users, random), seedCounts);
    if (!Number.isNaN(difference)) return difference;
  }
}

/** How often each of `size` things comes up in `size` draws with replacement. */
function drawCounts(size: number, random: Random): Int32Array {
  const counts = new Int32Array(size);
  for (let draw = 0; draw < size; draw++) counts[random.integer(size)]! += 1;
  return counts;
}

function meanDifference(
  seeds: readonly RankedSeed[],
  userCounts: Int32Array,
  seedCounts: Int32Array,
): number {
  let sum = 0;
  for (const [seed, { baseline, treatment }] of seeds.entries()) {
    const times = seedCounts[seed]!;
    if (times > 0) sum += times * (weightedAuc(treatment, userCounts) - weightedAuc(baseline, userCounts));
  }
  return sum / seeds.length;
}

function twoSided(differences: Float64Array): number {
  const notAbove = differences.filter((difference) => difference <= 0).length;
  const notBelow = differences.filter((difference) => difference >= 0).length;
  return Math.min(1, (2 * (Math.min(notAbove, notBelow) + 1)) / (differences.length + 1));
}

function checkInput(input: PairedBootstrapInput, replicates: number): void {
  const { baseline, treatment, labels, users } = input;
  if (baseline.length !== treatment.length || baseline.length === 0) {
    throw new CourierError(
      'VALUE_INVALID',
      `The paired bootstrap got ${baseline.length} seeds of the baseline and ${treatment.length} of the treatment.`,
      'Train both models with the same seeds, at least one.',
    );
  }
  if (!Number.isSafeInteger(replicates) || replicates < 1) {
    const remedy = 'Use a whole number of replicates, such as 1000.';
    throw new CourierError('VALUE_INVALID', `${replicates} is no number of bootstrap replicates.`, remedy);
  }
  for (const scores of [...baseline, ...treatment]) checkRows('The AUC difference', scores, labels);
  checkBothClasses('The AUC difference', labels);
  checkGroups('The AUC difference', users, labels.length);
}
