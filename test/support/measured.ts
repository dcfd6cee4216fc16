/** Measured values, made and taken apart. */
import type { Measured } from '../../src/metrics/measured.ts';

export function value<T>(value: T): Measured<T> {
  return { kind: 'value', value };
}

export function gap(why: string): Measured<never> {
  return { kind: 'undefined', why };
}

/** Fails the test for a gap. */
export function defined<T>(measured: Measured<T> | undefined): T {
  if (measured?.kind !== 'value') throw new Error(measured?.why ?? 'nothing was measured');
  return measured.value;
}
