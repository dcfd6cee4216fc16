/** How many exposures and clicks a key had, the older the less they weigh: O(1) memory a key, O(1) time an event. */
import { GrowingRows } from './growing-rows.ts';

const day = 86_400_000;

/** What each count is taken over: how it is called in the name of a column, and after how long an event weighs half. */
export const horizons = [
  { suffix: '_1d', halfLife: day },
  { suffix: '_7d', halfLife: 7 * day },
  { suffix: '_30d', halfLife: 30 * day },
  { suffix: '', halfLife: Number.POSITIVE_INFINITY },
] as const;

/** The horizon that forgets nothing. */
export const ever = horizons.length - 1;

export type EventKind = 'exposure' | 'click';

/** Counts of one key, a number for each horizon. (4) each */
export interface Counts {
  readonly exposures: Float64Array;
  readonly clicks: Float64Array;
}

const width = horizons.length;
const first = { exposure: 1, click: 1 + width };

export class DecayedCounts {
  /** The time that the sums are of; sums of exposures; sums of clicks. (keys, 1 + 4 + 4) */
  readonly #rows = new GrowingRows(1 + 2 * width);

  /** @param key a row number, from 0. @param time milliseconds; it may be earlier than that of another event */
  add(key: number, kind: EventKind, time: number): void {
    const row = this.#rows.write(key);
    const now = Math.max(row[0]!, time);
    const weights = weightsAfter(now - row[0]!);
    for (let place = 1; place < row.length; place++) row[place]! *= weights[(place - 1) % width]!;
    const own = weightsAfter(now - time);
    for (let place = 0; place < width; place++) row[first[kind] + place]! += own[place]!;
    row[0] = now;
  }

  /**
   * Σ 2^(−(time − t) / half-life) over the events of a key and their times t; zeros for a key without events, such as NONE.
   * @param time milliseconds, no earlier than any event
   */
  read(key: number, time: number): Counts {
    const row = this.#rows.read(key);
    const weights = weightsAfter(time - row[0]!);
    return {
      exposures: product(weights, row, first.exposure),
      clicks: product(weights, row, first.click),
    };
  }
}

function product(weights: Float64Array, row: Float64Array, from: number): Float64Array {
  const decayed = new Float64Array(width);
  for (let place = 0; place < width; place++) decayed[place] = weights[place]! * row[from + place]!;
  return decayed;
}

/** What an event weighs after so many milliseconds. (4) */
function weightsAfter(elapsed: number): Float64Array {
  const weights = new Float64Array(width);
  for (let place = 0; place < width; place++) weights[place] = 2 ** (-elapsed / horizons[place]!.halfLife);
  return weights;
}
