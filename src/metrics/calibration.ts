/** Whether predicted click probabilities mean what they say. */
import { CourierError } from '../errors.ts';
import { equalCountBins } from './bins.ts';
import { checkProbabilities } from './probability.ts';
import { type Scores, undefinedMetric } from './rows.ts';

/**
 * Clicks predicted over clicks observed, Σp / Σy: 1 is calibrated on the whole, 1.1 predicts a tenth too many
 * (He et al., Practical Lessons from Predicting Clicks on Ads at Facebook, 2014, section 2).
 *
 * @param probabilities in [0, 1]. (R)
 * @param labels 1 for a click, 0 for none. (R)
 * @throws CourierError METRIC_UNDEFINED for no rows or no click; VALUE_INVALID for a probability that is not a
 *   number or outside [0, 1], a label that is neither 0 nor 1, or different lengths
 */
export function predictedOverObserved(probabilities: Scores, labels: Uint8Array): number {
  checkProbabilities('Calibration', probabilities, labels);
  let [predicted, observed] = [0, 0];
  for (let row = 0; row < labels.length; row++) {
    predicted += probabilities[row]!;
    observed += labels[row]!;
  }
  if (observed === 0) throw undefinedMetric('Calibration', 'no row is clicked');
  return predicted / observed;
}

export interface ReliabilityBin {
  readonly meanPrediction: number;
  /** Share of the rows clicked. */
  readonly observedRate: number;
  readonly count: number;
}

/**
 * The points of a reliability diagram (DeGroot and Fienberg, 1983): rows in bins of equal count by ascending
 * prediction. Equal predictions share a bin, so that bins may differ in count, or be fewer than asked for.
 *
 * @throws CourierError as `predictedOverObserved` does, but not for rows without a click, and VALUE_INVALID
 *   for a number of bins that is not a whole number from 1 to 1000
 */
export function reliabilityTable(
  probabilities: Scores,
  labels: Uint8Array,
  bins = 10,
): readonly ReliabilityBin[] {
  checkProbabilities('The reliability table', probabilities, labels);
  if (!Number.isInteger(bins) || bins < 1 || bins > 1000) {
    const remedy = 'Use a whole number of bins from 1 to 1000, such as 10.';
    throw new CourierError('VALUE_INVALID', `${bins} is no number of bins of a reliability table.`, remedy);
  }
  return equalCountBins(probabilities, bins).map(({ rows }) => {
    let [predicted, observed] = [0, 0];
    for (let place = 0; place < rows.length; place++) {
      predicted += probabilities[rows[place]!]!;
      observed += labels[rows[place]!]!;
    }
    const count = rows.length;
    return { meanPrediction: predicted / count, observedRate: observed / count, count };
  });
}
