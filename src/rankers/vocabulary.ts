/**
 * Which ids of a field get an embedding of their own: those that are frequent in training; or, where ids are too many
 * or come and go, any id, by a hash of its text, and then some share one.
 */
import { murmurHash3 } from '../murmur-hash.ts';

export interface Vocabulary {
  /** Table row of each code. (codes) */
  readonly rowOf: Int32Array;
  /** The first row after those given out. */
  readonly end: number;
}

/**
 * Gives each code that is frequent in training a row of its own, all others the row `unknownRow`.
 * @param trainingCodes the codes of the field over the training exposures
 * @param codes number of codes, those of validation and test included
 */
export function assignRows(
  trainingCodes: Int32Array,
  codes: number,
  minimumCount: number,
  unknownRow: number,
): Vocabulary {
  const counts = new Int32Array(codes);
  for (const code of trainingCodes) counts[code]! += 1;
  let end = unknownRow + 1;
  const rowOf = counts.map((count) => (count >= minimumCount ? end++ : unknownRow));
  return { rowOf, end };
}

/** A field keeps its rows as long as this does: saved tables depend on it. */
const seed = 0;

/** Rows that the ids of a field share by their hash. */
export interface Buckets {
  readonly first: number;
  readonly count: number;
}

const encoder = new TextEncoder();

/**
 * The row of a text: first + hash mod count. The text alone decides, not which others there are: an id that is new
 * tomorrow has its row today. Of n ids about n² / (2 · count) pairs share a row.
 */
export function rowOfText(text: string, { first, count }: Buckets): number {
  return first + (murmurHash3(encoder.encode(text), seed) % count);
}
