/** What a cluster tells about a click beyond what a category tells already. */

import { CourierError } from '../errors.ts';
import type { Random } from '../random.ts';
import { groupByIds } from './groups.ts';
import { quantile } from './quantile.ts';
import { undefinedMetric } from './rows.ts';

/** Exposures and clicks by item, each of which has one cluster and one category. */
export interface ClickCounts {
  /** Codes from 0. (n) */
  readonly clusters: Int32Array;
  /** Codes from 0. (n) */
  readonly categories: Int32Array;
  /** (n) */
  readonly exposures: Int32Array;
  /** At most the exposures. (n) */
  readonly clicks: Int32Array;
}

export interface ClickInformation {
  readonly exposures: number;
  /** H(click | category) in bits: all that there is to be told. */
  readonly clickEntropy: number;
  /** I(cluster; click | category) in bits, as the relative frequencies have it: never negative, and too large. */
  readonly plugIn: number;
  /** The same with the correction of Miller and Madow, which may be negative. */
  readonly corrected: number;
}

/** Sums over the items of each cell. */
interface Table {
  readonly clusters: number;
  /** (categories, clusters) each */
  readonly exposures: Float64Array;
  readonly clicks: Float64Array;
  /** (categories) each */
  readonly categoryExposures: Float64Array;
  readonly categoryClicks: Float64Array;
}

/**
 * I(C; Y | G) = Σ p(g, c, y) log₂ (p(g, c, y) p(g) / (p(g, c) p(g, y))) (Cover and Thomas, 2006, section 2.5). With
 * entropies as H(C, G) + H(Y, G) − H(C, Y, G) − H(G) and (occupied cells − 1) / 2N nats added to each (Miller, 1955),
 * the correction is (m_CG + m_YG − m_CYG − m_G) / 2N. It takes exposures for independent, which those of one item are
 * not: compare with `permutedInformation`.
 *
 * @throws CourierError METRIC_UNDEFINED without exposures; VALUE_INVALID for columns that do not belong together
 */
export function clickInformation(counts: ClickCounts): ClickInformation {
  checkCounts(counts);
  return informationOf(tableOf(counts, counts.clusters));
}

export interface InformationByChance {
  readonly mean: number;
  /** 95 % of what chance gives is below. */
  readonly high: number;
}

/**
 * The corrected information that clusters of the same sizes have by chance: those of the shown items are dealt out anew
 * among the items of each category. Items are dealt, not exposures, because items differ in their click rates, so that
 * any division of them tells something.
 *
 * @throws CourierError as clickInformation does
 */
export function permutedInformation(
  counts: ClickCounts,
  permutations: number,
  random: Random,
): InformationByChance {
  checkCounts(counts);
  const shown = Int32Array.from(counts.exposures.keys()).filter((item) => counts.exposures[item]! > 0);
  const groups = groupByIds(shown.map((item) => counts.categories[item]!));
  const values = Float64Array.from({ length: permutations }, () => {
    const dealt = counts.clusters.slice();
    for (let group = 0; group < groups.count; group++) {
      const items = groups.rows
        .subarray(groups.start[group]!, groups.start[group + 1]!)
        .map((row) => shown[row]!);
      const clusters = random.shuffle(items.map((item) => counts.clusters[item]!));
      for (let place = 0; place < items.length; place++) dealt[items[place]!] = clusters[place]!;
    }
    return informationOf(tableOf(counts, dealt)).corrected;
  }).sort();
  return { mean: values.reduce((sum, value) => sum + value, 0) / permutations, high: quantile(values, 0.95) };
}

function tableOf({ categories, exposures, clicks }: ClickCounts, clusters: Int32Array): Table {
  const [clusterCount, categoryCount] = [end(clusters), end(categories)];
  const table: Table = {
    clusters: clusterCount,
    exposures: new Float64Array(categoryCount * clusterCount),
    clicks: new Float64Array(categoryCount * clusterCount),
    categoryExposures: new Float64Array(categoryCount),
    categoryClicks: new Float64Array(categoryCount),
  };
  for (let item = 0; item < clusters.length; item++) {
    const category = categories[item]!;
    const cell = category * clusterCount + clusters[item]!;
    table.exposures[cell]! += exposures[item]!;
    table.clicks[cell]! += clicks[item]!;
    table.categoryExposures[category]! += exposures[item]!;
    table.categoryClicks[category]! += clicks[item]!;
  }
  return table;
}

function informationOf(table: Table): ClickInformation {
  const total = table.categoryExposures.reduce((sum, count) => sum + count, 0);
  let [bits, entropy] = [0, 0];
  // Occupied cells of (C, G) and (Y, G), less those of (C, Y, G) and (G).
  let cells = 0;
  for (const [category, inCategory] of table.categoryExposures.entries()) {
    if (inCategory === 0) continue;
    const clicked = table.categoryClicks[category]!;
    cells--;
    for (const outcome of [clicked, inCategory - clicked]) {
      if (outcome === 0) continue;
      entropy -= outcome * Math.log2(outcome / inCategory);
      cells++;
    }
    for (let cell = category * table.clusters; cell < (category + 1) * table.clusters; cell++) {
      const inCell = table.exposures[cell]!;
      if (inCell === 0) continue;
      cells++;
      const clicks = table.clicks[cell]!;
      for (const [outcome, ofCategory] of [
        [clicks, clicked],
        [inCell - clicks, inCategory - clicked],
      ] as const) {
        if (outcome === 0) continue;
        cells--;
        bits += outcome * Math.log2((outcome * inCategory) / (inCell * ofCategory));
      }
    }
  }
  const plugIn = Math.max(0, bits / total); // sums of independent tables may round to −1e-17
  return {
    exposures: total,
    clickEntropy: entropy / total,
    plugIn,
    corrected: plugIn + cells / (2 * total * Math.LN2),
  };
}

/** One more than the largest code. */
function end(codes: Int32Array): number {
  return codes.reduce((largest, code) => Math.max(largest, code), -1) + 1;
}

function checkCounts({ clusters, categories, exposures, clicks }: ClickCounts): void {
  if ([categories, exposures, clicks].some(({ length }) => length !== clusters.length))
    throw invalid('its columns differ in length');
  const bad = clusters.findIndex(
    (cluster, item) =>
      cluster < 0 || categories[item]! < 0 || clicks[item]! < 0 || clicks[item]! > exposures[item]!,
  );
  if (bad !== -1)
    throw invalid(`item number ${bad} has no cluster, no category, or more clicks than exposures`);
  if (!exposures.some((count) => count > 0)) throw undefinedMetric(metric, 'there are no exposures');
}

const metric = 'Mutual information of cluster and click';

function invalid(what: string): CourierError {
  const remedy = 'Count clicks among the exposures of items that have a cluster.';
  return new CourierError('VALUE_INVALID', `${metric} cannot be computed: ${what}.`, remedy);
}
