/** Of each item in a user's past: whether it was exposed and clicked, how often, and how long ago. */
import type { CounterEvent } from './delayed-events.ts';
import { GrowingRows } from './growing-rows.ts';
import { PairIndex } from './pair-index.ts';

const day = 86_400_000;

/** Places in a row: how often, and when last, in milliseconds. */
const count = { exposure: 0, click: 1 };
const last = { exposure: 2, click: 3 };

export class OwnPast {
  readonly #pairs = new PairIndex();
  readonly #rows = new GrowingRows(4);

  add({ kind, user, item, time }: CounterEvent): void {
    const row = this.#rows.write(this.#pairs.add(user, item));
    row[last[kind]] = row[count[kind]]! === 0 ? time : Math.max(row[last[kind]]!, time);
    row[count[kind]]! += 1;
  }

  /** The values of `ownPastNames`. Ages are log1p of days, 0 where there was no such event. */
  describe(user: number, item: number, time: number, withExposures: boolean): number[] {
    const row = this.#rows.read(this.#pairs.find(user, item));
    const [exposures, clicks] = [row[count.exposure]!, row[count.click]!];
    const age = (times: number, newest: number) => (times === 0 ? 0 : Math.log1p((time - newest) / day));
    return [
      exposures + clicks > 0 ? 1 : 0,
      clicks > 0 ? 1 : 0,
      Math.log1p(clicks),
      age(clicks, row[last.click]!),
      ...(withExposures
        ? [Math.log1p(Math.max(0, exposures - clicks)), age(exposures, row[last.exposure]!)]
        : []),
    ];
  }
}

export function ownPastNames(withExposures: boolean): string[] {
  return [
    'seen_before',
    'clicked_before',
    'clicks_before_log',
    'click_age_days_log',
    ...(withExposures ? ['unclicked_before_log', 'exposure_age_days_log'] : []),
  ];
}
