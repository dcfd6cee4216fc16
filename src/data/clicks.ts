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
  const ordered = {
    user: new Int32Array(order.length),
    item: new Int32Array(order.length),
    time: new Float64Array(order.length),
  };
  for (let place = 0; place < order.length; place++) {
    const row = order[place]!;
    ordered.user[place] = user[row]!;
    ordered.item[place] = item[row]!;
    ordered.time[place] = time[row]!;
  }
  return ordered;
}

/** Row numbers by ascending time; equal times keep their order. */
export function orderByTime(time: ArrayLike<number>): Int32Array {
  const rows = new Int32Array(time.length);
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let [isAscending, isWhole] = [true, true];
  for (let row = 0; row < time.length; row++) {
    const each = time[row]!;
    rows[row] = row;
    isAscending &&= row === 0 || time[row - 1]! <= each;
    isWhole &&= Number.isSafeInteger(each);
    least = Math.min(least, each);
    most = Math.max(most, each);
  }
  if (isAscending) return rows;
  if (!isWhole) return rows.sort((a, b) => time[a]! - time[b]! || a - b);
  return sortByDigits(rows, (row) => time[row]! - least, most - least);
}

/** Numbers of a digit: two bytes. */
const base = 2 ** 16;

/** Radix sort from the lowest digit on, which keeps the order of equal keys. @param keyOf whole numbers from 0 */
function sortByDigits(
  rows: Int32Array<ArrayBuffer>,
  keyOf: (row: number) => number,
  largest: number,
): Int32Array {
  let from = rows;
  let to = new Int32Array(rows.length);
  const starts = new Int32Array(base + 1);
  for (let unit = 1; unit <= largest; unit *= base) {
    const digitOf = (row: number) => Math.floor(keyOf(row) / unit) % base;
    starts.fill(0);
    for (const row of from) starts[digitOf(row) + 1]!++;
    for (let digit = 0; digit < base; digit++) starts[digit + 1]! += starts[digit]!;
    for (const row of from) to[starts[digitOf(row)]!++] = row;
    [from, to] = [to, from];
  }
  return from;
}
