/** What is known without learning anything: a baseline that a ranker without images has to beat. */
import type { Dataset } from '../data/dataset.ts';
import { auc } from '../metrics/auc.ts';
import { measure } from '../metrics/measured.ts';
import type { Unlearned } from '../report/report.ts';

/** Columns whose sum is a ranker: smoothed click rates as logits; where exposures are not known mean ratings, or popularity. */
const candidates = [
  ['item_rate', 'user_rate'],
  ['film_rating_mean', 'user_rating_mean'],
  ['item_clicks_log'],
] as const;

/**
 * The test AUC of base features added up as they are.
 * @param testRows exposures of the test split. (n)
 * @returns null for a dataset that has no such columns
 */
export function unlearned({ exposures }: Pick<Dataset, 'exposures'>, testRows: Int32Array): Unlearned | null {
  const { numeric, numericNames, clicked } = exposures;
  const columns = candidates.find((names) => names.every((name) => numericNames.includes(name)));
  if (columns === undefined) return null;
  const places = columns.map((name) => numericNames.indexOf(name));
  const scores = Float64Array.from(testRows, (row) =>
    places.reduce((sum, place) => sum + numeric[row * numericNames.length + place]!, 0),
  );
  const labels = Uint8Array.from(testRows, (row) => clicked[row]!);
  return { columns, auc: measure(() => auc(scores, labels)) };
}
