/** A metric that may be undefined on the rows at hand: a gap with a reason, never NaN. */
import { CourierError } from '../errors.ts';

export type Measured<T = number> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'undefined'; readonly why: string };

/** Takes METRIC_UNDEFINED for an answer; whatever else the metric throws is thrown on. */
export function measure<T>(metric: () => T): Measured<T> {
  try {
    return { kind: 'value', value: metric() };
  } catch (thrown) {
    if (!(thrown instanceof CourierError) || thrown.code !== 'METRIC_UNDEFINED') throw thrown;
    return { kind: 'undefined', why: thrown.message };
  }
}
