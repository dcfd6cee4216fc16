/** With how many cores this process computes. */
import { availableParallelism } from 'node:os';
import { CourierError } from './errors.ts';

/**
 * Cores that this process may compute with: those that the system grants it, or as many as the environment variable
 * COURIER_THREADS says, for a machine that is shared with others.
 * @throws CourierError CONFIG_INVALID when COURIER_THREADS is no whole number from 1
 */
export function usableCores(): number {
  const { COURIER_THREADS: wanted } = process.env;
  if (wanted === undefined || wanted === '') return availableParallelism();
  const threads = Number(wanted);
  if (Number.isSafeInteger(threads) && threads >= 1) return threads;
  throw new CourierError(
    'CONFIG_INVALID',
    `Invalid COURIER_THREADS: ${wanted}.`,
    'Set it to a whole number of cores, such as 4, or unset it to use all.',
  );
}
