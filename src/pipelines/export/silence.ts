/** For how long a log says nothing. */

/** A log may be told once a day. Milliseconds. */
const shortest = 86_400_000;

/** The longest time between what comes next to each other in ascending times taken together, and no less than a day. Milliseconds. */
export function longestSilence(one: Float64Array, other: Float64Array): number {
  let [a, b, longest] = [0, 0, shortest];
  let before = Math.min(one[0] ?? Number.POSITIVE_INFINITY, other[0] ?? Number.POSITIVE_INFINITY);
  while (a < one.length || b < other.length) {
    const isOne = b === other.length || (a < one.length && one[a]! <= other[b]!);
    const time = isOne ? one[a++]! : other[b++]!;
    longest = Math.max(longest, time - before);
    before = time;
  }
  return longest;
}
