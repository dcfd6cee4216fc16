/** Of each item in a user's past: whether it was exposed and clicked, how often, and how long ago. */
import type { EventKind } from './decayed-counts.ts';
import { GrowingRows } from './growing-rows.ts';
import { PairIndex } from './pair-index.ts';
import { named, partOf, type StateArrays } from './state-arrays.ts';

const day = 86_400_000;

/** Places in a row: how often, and when last, in milliseconds. */
const count = { exposure: 0, click: 1 };
const last = { exposure: 2, click: 3 };

export class OwnPast {
  readonly #pairs = new PairIndex();
  readonly #rows = new GrowingRows(4);

  state(): StateArrays {
    return new Map([...named('pairs', this.#pairs.state()), ...named('past', this.#rows.state())]);
  }

  /** Puts a state into an empty past. @throws Error for one that cannot be */
  async restore(state: StateArrays): Promise<void> {
    await this.#pairs.restore(partOf(state, 'pairs'));
    await this.#rows.restore(partOf(state, 'past'));
  }

  add(kind: EventKind, user: number, item: number, time: number): void {
    const at = this.#rows.place(this.#pairs.add(user, item));
    const { values } = this.#rows;
    const isFirst = values[at + count[kind]] === 0;
    values[at + last[kind]] = isFirst ? time : Math.max(values[at + last[kind]]!, time);
    values[at + count[kind]]! += 1;
  }

  /**
   * Writes the values of `ownPastNames`. Ages are log1p of days, 0 where there was no such event.
   * @param at where they begin
   * @returns where they end
   */
  write(
    into: Float64Array,
    at: number,
    user: number,
    item: number,
    time: number,
    withExposures: boolean,
  ): number {
    const width = ownPastNames(withExposures).length;
    const row = this.#rows.find(this.#pairs.find(user, item));
    if (row === null) {
      into.fill(0, at, at + width);
      return at + width;
    }
    const { values } = this.#rows;
    const [exposures, clicks] = [values[row + count.exposure]!, values[row + count.click]!];
    into[at] = 1;
    into[at + 1] = clicks > 0 ? 1 : 0;
    into[at + 2] = Math.log1p(clicks);
    into[at + 3] = age(clicks, values[row + last.click]!, time);
    if (withExposures) {
      into[at + 4] = Math.log1p(Math.max(0, exposures - clicks));
      into[at + 5] = age(exposures, values[row + last.exposure]!, time);
    }
    return at + width;
  }
}

function age(times: number, newest: number, time: number): number {
  return times === 0 ? 0 : Math.log1p((time - newest) / day);
}

const alwaysThere = ['seen_before', 'clicked_before', 'clicks_before_log', 'click_age_days_log'];
const withThem = [...alwaysThere, 'unclicked_before_log', 'exposure_age_days_log'];

export function ownPastNames(withExposures: boolean): readonly string[] {
  return withExposures ? withThem : alwaysThere;
}
