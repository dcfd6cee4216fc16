/** Mean and spread over seeds. */
import { CourierError } from '../errors.ts';
import { known, type Measured, measure } from './measured.ts';

/** Mean and sample standard deviation over seeds; `std` is null for a single seed. */
export interface Summary {
  readonly mean: number;
  readonly std: number | null;
}

/**
 * @param values one number per seed
 * @returns mean and sample standard deviation (n − 1 in the denominator), null for a single value
 * @throws CourierError METRIC_UNDEFINED for no values, VALUE_INVALID for one that is not finite
 */
export function summarise(values: readonly number[]): Summary {
  const remedy = 'Train with at least one seed, and check the runs that failed.';
  if (values.length === 0) throw new CourierError('METRIC_UNDEFINED', 'No seed gave a value.', remedy);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) {
    throw new CourierError('VALUE_INVALID', `The value of seed number ${bad + 1} is ${values[bad]}.`, remedy);
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, std: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, std: Math.sqrt(squares / (values.length - 1)) };
}

/** The same of values that may be undefined: where one is, so is the mean, for the same reason. */
export function summariseMeasured(values: readonly Measured[]): Measured<Summary> {
  const gap = values.find((value) => value.kind === 'undefined');
  return gap ?? measure(() => summarise(values.flatMap((value) => known(value) ?? [])));
}
