/** Parts that the exposures of a dataset are written in: whole days, none of them much larger than memory bears. */

import { CourierError } from '../errors.ts';
import { integer } from '../text.ts';

/** Exposures from which on a part ends with its day, and from which on it ends with a page view. */
const [enough, most] = [262_144, 1_048_576];

const day = 86_400_000;

/** Exposures of a dataset, whose numbers have 32 bits. */
const mostExposures = 2 ** 31 - 1;

/** @throws CourierError LIMIT_EXCEEDED for more exposures than a dataset may have */
export function requireCountable(exposures: number, what: string): void {
  if (exposures <= mostExposures) return;
  throw new CourierError(
    'LIMIT_EXCEEDED',
    `${what} has ${integer(exposures)} exposures, and a dataset may have ${integer(mostExposures)}.`,
    'Take a share of the users, each with all that is of it: docs/scale.md has the statements.',
  );
}

export interface Part {
  /** The page views from … to − 1. */
  readonly from: number;
  readonly to: number;
}

/**
 * @param time of each page view, ascending. (P)
 * @param start of the exposures of each page view, and the end. (P + 1)
 */
export function partsOf(time: Float64Array, start: Int32Array): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (let view = 1; view < time.length; view++) {
    const length = start[view]! - start[from]!;
    const isNewDay = Math.floor(time[view]! / day) !== Math.floor(time[view - 1]! / day);
    if (length < (isNewDay ? enough : most)) continue;
    parts.push({ from, to: view });
    from = view;
  }
  if (time.length > 0) parts.push({ from, to: time.length });
  return parts;
}
