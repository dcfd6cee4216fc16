/** A metric that may be undefined on the rows at hand: a gap with a reason, never NaN. */
import { z } from 'zod';
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

/** What follows from the value; a gap stays one, for the same reason. */
export function mapped<T, U>(measured: Measured<T>, change: (value: T) => U): Measured<U> {
  return measured.kind === 'value' ? { kind: 'value', value: change(measured.value) } : measured;
}

/** The value, null for a gap. */
export function known<T>(measured: Measured<T>): T | null {
  return measured.kind === 'value' ? measured.value : null;
}

/** How it is written into files. */
export function measuredSchema<T extends z.ZodType>(value: T) {
  return z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('value'), value }),
    z.object({ kind: z.literal('undefined'), why: z.string() }),
  ]);
}
