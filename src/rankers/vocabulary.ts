/** Which ids of a field get an embedding of their own. */

/**
 * Gives each code that is frequent in training a row of its own, all others the row `unknownRow`.
 * @param trainingCodes the codes of the field over the training exposures
 * @param codes number of codes, those of validation and test included
 * @returns the row of each code (codes), and the first row after those given out
 */
export function assignRows(
  trainingCodes: Int32Array,
  codes: number,
  minimumCount: number,
  unknownRow: number,
): { rowOf: Int32Array; end: number } {
  const counts = new Int32Array(codes);
  for (const code of trainingCodes) counts[code]! += 1;
  let end = unknownRow + 1;
  const rowOf = counts.map((count) => (count >= minimumCount ? end++ : unknownRow));
  return { rowOf, end };
}
