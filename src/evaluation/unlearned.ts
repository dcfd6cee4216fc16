/** What is known without learning anything: a row of the table that a ranker without images has to beat. */

import { columnsOf } from '../data/counters/numeric-rows.ts';
import type { Dataset } from '../data/dataset.ts';
import { auc, gauc } from '../metrics/auc.ts';
import { type Measured, measure } from '../metrics/measured.ts';
import { ndcg } from '../metrics/ndcg.ts';
import { summarise } from '../metrics/summary.ts';
import { rowsOfSplit } from '../rankers/fields.ts';
import { type ReportRow, type Start, withoutLearning } from '../report/report.ts';
import { ndcgDepth, scoredRows } from './table.ts';

/** Columns whose sum is a ranker: smoothed click rates as logits, or popularity where exposures are not known. */
const candidates = [['item_rate', 'user_rate'], ['item_clicks_log']] as const;

type UnlearnedData = Pick<Dataset, 'name' | 'catalogue' | 'users' | 'pageViews' | 'exposures'>;

/** The base features that are added up; null for a dataset that has none of them. */
export function unlearnedColumns({ exposures }: Pick<Dataset, 'exposures'>): readonly string[] | null {
  return candidates.find((names) => names.every((name) => exposures.numeric.names.includes(name))) ?? null;
}

/**
 * Base features added up as they are.
 * @param testRows exposures of the test split. (n)
 * @returns a row for each start, the same for all; none for a dataset that has no such columns
 */
export function unlearnedRows(
  dataset: UnlearnedData,
  testRows: Int32Array,
  starts: readonly Start[],
): readonly ReportRow[] {
  const columns = unlearnedColumns(dataset);
  if (columns === null) return [];
  const test = scoredRows(dataset, testRows)(sums(dataset, columns, testRows));
  const validation = rowsOfSplit(dataset, 'validation');
  const earlier = scoredRows(dataset, validation)(sums(dataset, columns, validation));
  const over = (metric: () => number) => measure(() => summarise([metric()]));
  return starts.map((start) => ({
    features: withoutLearning,
    source: null,
    start,
    seeds: [],
    auc: over(() => auc(test.scores, test.labels)),
    gauc: over(() => gauc(test.scores, test.labels, test.users).gauc),
    logLoss: noProbabilities,
    calibration: noProbabilities,
    ndcg: over(() => ndcg(test.scores, test.labels, test.pageViews, ndcgDepth).ndcg),
    validationAuc: over(() => auc(earlier.scores, earlier.labels)),
    lifts: null,
    slices: [],
    cost: null,
  }));
}

const noProbabilities: Measured<never> = {
  kind: 'undefined',
  why: 'Base features added up are no probabilities.',
};

/** (n) */
function sums({ exposures }: UnlearnedData, columns: readonly string[], rows: Int32Array): Float32Array {
  const added = columnsOf(exposures.numeric, columns, rows);
  return Float32Array.from(rows, (_, place) => added.reduce((sum, values) => sum + values[place]!, 0));
}
