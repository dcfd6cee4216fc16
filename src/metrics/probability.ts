/** How good predicted click probabilities are as probabilities. */
import { CourierError } from '../errors.ts';
import { checkRows, type Scores } from './rows.ts';

/** Probabilities nearer to 0 or 1 than this count as this near, so that one wrong row is not infinite. */
const nearest = 1e-7;

/**
 * Mean negative log-likelihood of the labels, in nats: −1/R Σ y log p + (1 − y) log(1 − p).
 *
 * @param probabilities in [0, 1], clipped to [1e-7, 1 − 1e-7]. (R)
 * @param labels 1 for a click, 0 for none. (R)
 * @throws CourierError METRIC_UNDEFINED for no rows; VALUE_INVALID for a probability that is not a number or
 *   outside [0, 1], a label that is neither 0 nor 1, or different lengths
 */
export function logLoss(probabilities: Scores, labels: Uint8Array): number {
  return logLossOfRows(probabilities, labels).reduce((sum, loss) => sum + loss, 0) / labels.length;
}

/**
 * The negative log-likelihood of each label, as `logLoss` takes their mean. (R)
 * @throws CourierError as `logLoss` does
 */
export function logLossOfRows(probabilities: Scores, labels: Uint8Array): Float64Array {
  checkProbabilities('Log loss', probabilities, labels);
  return Float64Array.from(labels, (label, row) => {
    const probability = Math.min(Math.max(probabilities[row]!, nearest), 1 - nearest);
    return label === 1 ? -Math.log(probability) : -Math.log1p(-probability);
  });
}

/**
 * @throws CourierError METRIC_UNDEFINED for no rows; VALUE_INVALID for a probability that is not a number or
 *   outside [0, 1], a label that is neither 0 nor 1, or different lengths
 */
export function checkProbabilities(metric: string, probabilities: Scores, labels: Uint8Array): void {
  checkRows(metric, probabilities, labels);
  const row = probabilities.findIndex((probability) => probability < 0 || probability > 1);
  if (row === -1) return;
  throw new CourierError(
    'VALUE_INVALID',
    `${metric} cannot be computed: ${probabilities[row]} in row ${row} is no probability.`,
    'Pass click probabilities between 0 and 1, not raw scores.',
  );
}
