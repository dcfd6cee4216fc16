/** Training, validation and test, one after the other in time. */
import { CourierError } from '../../errors.ts';
import { type SplitTimes, splitAt, splits } from '../dataset.ts';

/** Boundaries after 80 % and 90 % of the page views. @param times ascending */
export function quantileSplitTimes(times: Float64Array): SplitTimes {
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.POSITIVE_INFINITY;
  return { validationFrom: at(0.8), testFrom: at(0.9) };
}

/**
 * The split of each page view, as an index into `splits`.
 * @throws CourierError SPLIT_EMPTY when a split has no page view
 */
export function splitByTime(times: Float64Array, splitTimes: SplitTimes): Uint8Array {
  const { validationFrom, testFrom } = splitTimes;
  const split = Uint8Array.from(times, (time) => splitAt(time, splitTimes));
  for (const [index, name] of splits.entries()) {
    if (split.includes(index)) continue;
    throw new CourierError(
      'SPLIT_EMPTY',
      `The ${name} split has none of the ${times.length} page views; validation begins at ` +
        `${dateText(validationFrom)}, test at ${dateText(testFrom)}.`,
      'Set validationFrom and testFrom to times inside the log, or give a log that covers more time.',
    );
  }
  return split;
}

function dateText(time: number): string {
  return Number.isFinite(time) ? new Date(time).toISOString() : 'no time at all';
}
