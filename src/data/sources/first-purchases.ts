/** When each user first bought each item. */
import { type Clicks, lowerBound } from '../clicks.ts';

export class FirstPurchases {
  /** Rows of the clicks in which a user buys an item for the first time, ascending. */
  readonly rows: Int32Array;
  readonly #timeOfItem = new Map<number, Map<number, number>>();
  readonly #times = new Map<number, number[]>();

  constructor({ user, item, time }: Clicks) {
    const rows: number[] = [];
    for (let row = 0; row < item.length; row++) {
      if (this.#add(user[row]!, item[row]!, time[row]!)) rows.push(row);
    }
    this.rows = Int32Array.from(rows);
  }

  /** Whether the user bought the item strictly before the time. */
  hadBefore(user: number, item: number, time: number): boolean {
    const first = this.#timeOfItem.get(user)?.get(item);
    return first !== undefined && first < time;
  }

  /** How many different items the user bought strictly before the time. */
  countBefore(user: number, time: number): number {
    const times = this.#times.get(user) ?? [];
    return lowerBound((position) => times[position]!, time, 0, times.length);
  }

  /** @returns whether the item is new to the user */
  #add(user: number, item: number, time: number): boolean {
    const items = this.#timeOfItem.get(user) ?? new Map<number, number>();
    const times = this.#times.get(user) ?? [];
    if (items.has(item)) return false;
    this.#timeOfItem.set(user, items.set(item, time));
    times.push(time);
    this.#times.set(user, times);
    return true;
  }
}
