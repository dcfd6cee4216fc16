/** The events behind histories and counters, in the order of time. */

/** Something that happened between users and items, ascending in time; ties in the order of their file. (C) each */
export interface UserEvents {
  readonly user: Int32Array;
  readonly item: Int32Array;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly time: Float64Array;
}

/** Positive events, at the time of the click. */
export type Clicks = UserEvents;

/**
 * The first position in [from, to) whose value is at least `bound`, or `to`.
 * @param valueAt ascending over the range
 */
export function lowerBound(
  valueAt: (position: number) => number,
  bound: number,
  from: number,
  to: number,
): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (valueAt(middle) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Orders events by time; equal times keep the order given. */
export function eventsInOrder(
  user: ArrayLike<number>,
  item: ArrayLike<number>,
  time: ArrayLike<number>,
): UserEvents {
  const order = orderByTime(time);
  return {
    user: Int32Array.from(order, (row) => user[row]!),
    item: Int32Array.from(order, (row) => item[row]!),
    time: Float64Array.from(order, (row) => time[row]!),
  };
}

/** Row numbers by ascending time; equal times keep their order. */
export function orderByTime(time: ArrayLike<number>): Int32Array {
  return Int32Array.from(time, (_, row) => row).sort((a, b) => time[a]! - time[b]! || a - b);
}
