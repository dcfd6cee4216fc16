/** How many exposures and clicks a key had, the older the less they weigh: O(1) memory a key, O(1) time an event. */
import { GrowingRows } from './growing-rows.ts';
import type { StateArrays } from './state-arrays.ts';

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

export function noCounts(): Counts {
  return { exposures: new Float64Array(width), clicks: new Float64Array(width) };
}

export class DecayedCounts {
  /** The time that the sums are of; sums of exposures; sums of clicks. (keys, 1 + 4 + 4) */
  readonly #rows = new GrowingRows(1 + 2 * width);
  readonly #weights = new Float64Array(width);

  state(): StateArrays {
    return this.#rows.state();
  }

  /** @throws Error for a state that cannot be */
  async restore(state: StateArrays): Promise<void> {
    await this.#rows.restore(state);
  }

  /** @param key a row number, from 0. @param time milliseconds; it may be earlier than that of another event */
  add(key: number, kind: EventKind, time: number): void {
    const at = this.#rows.place(key);
    const { values } = this.#rows;
    const weights = this.#weights;
    const known = values[at]!;
    const now = Math.max(known, time);
    if (now > known) {
      weigh(now - known, weights);
      for (let place = 0; place < width; place++) {
        values[at + first.exposure + place]! *= weights[place]!;
        values[at + first.click + place]! *= weights[place]!;
      }
      values[at] = now;
    }
    weigh(now - time, weights);
    for (let place = 0; place < width; place++) values[at + first[kind] + place]! += weights[place]!;
  }

  /**
   * Σ 2^(−(time − t) / half-life) over the events of a key and their times t; zeros for a key without events, such as NONE.
   * @param time milliseconds, no earlier than any event
   * @param counts where to write them
   */
  read(key: number, time: number, counts: Counts = noCounts()): Counts {
    const { exposures, clicks } = counts;
    const at = this.#rows.find(key);
    if (at === null) {
      exposures.fill(0);
      clicks.fill(0);
      return counts;
    }
    const { values } = this.#rows;
    const weights = this.#weights;
    weigh(time - values[at]!, weights);
    for (let place = 0; place < width; place++) {
      exposures[place] = weights[place]! * values[at + first.exposure + place]!;
      clicks[place] = weights[place]! * values[at + first.click + place]!;
    }
    return counts;
  }
}

/** 1, 7 and 30 days divide 210: what is left after the longest gives the others by multiplication, where a power takes as long as ten. */
const decay = -Math.LN2 / (210 * day);

/** What an event weighs after so many milliseconds, in the order of `horizons`. */
function weigh(elapsed: number, weights: Float64Array): void {
  const of210 = elapsed === 0 ? 1 : Math.exp(decay * elapsed);
  const of105 = of210 * of210;
  const of30 = of105 * of105 * of105 * of210;
  const of15 = of30 * of30;
  // 210 / 7 = 30 = 4 · 7 + 2.
  const of7 = of15 * of15 * of105;
  const ofHalfWeek = of7 * of7;
  weights[0] = ofHalfWeek * ofHalfWeek * ofHalfWeek * of7;
  weights[1] = of7;
  weights[2] = of30;
  weights[3] = 1;
}
