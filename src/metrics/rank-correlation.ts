/** Whether two numbers rise together, whatever their scales. */

/**
 * Spearman's rank correlation: Pearson's of the ranks, where equal values share the mean of their ranks.
 * @param one anything but NaN. (n)
 * @param other (n)
 * @returns null where it is undefined: for fewer than two places, or when either side has one value only
 */
export function spearman(one: readonly number[], other: readonly number[]): number | null {
  if (one.length !== other.length) throw new RangeError(`${one.length} values beside ${other.length}`);
  const [a, b] = [centredRanks(one), centredRanks(other)];
  let [product, squaresA, squaresB] = [0, 0, 0];
  for (let place = 0; place < a.length; place++) {
    product += a[place]! * b[place]!;
    squaresA += a[place]! ** 2;
    squaresB += b[place]! ** 2;
  }
  return squaresA === 0 || squaresB === 0 ? null : product / Math.sqrt(squaresA * squaresB);
}

/** Ranks from 0, equal values at the mean of theirs, less their mean. */
function centredRanks(values: readonly number[]): Float64Array {
  const order = Array.from(values.keys()).sort((a, b) => values[a]! - values[b]! || a - b);
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (const place of order.slice(from, to)) ranks[place] = (from + to - order.length) / 2;
    from = to;
  }
  return ranks;
}
