/** The order of rows by score, without a comparator: calling one would take most of the time of many rows. */
import type { Scores } from './rows.ts';

const digitBits = 8;
const digits = 1 << digitBits;

/**
 * Rows by ascending score, equal scores (0 and −0 too) by ascending row: a radix sort of the scores' bits,
 * least significant digit first (Knuth, The Art of Computer Programming 3, section 5.2.5). O(R); takes
 * 16 bytes a row while it runs.
 *
 * @param scores anything but NaN. (R)
 */
export function ascendingOrder(scores: Scores): Uint32Array {
  let order: Uint32Array = new Uint32Array(scores.length);
  for (let row = 0; row < order.length; row++) order[row] = row;
  const words = scores.BYTES_PER_ELEMENT / 4;
  for (let word = 0; word < words; word++) order = sortByKeys(order, sortableWord(scores, order, word));
  return order;
}

/**
 * One 32-bit word of each score, least significant first as every machine that Node runs our engine on has
 * it, changed so that unsigned words compare as the scores do: a larger negative float has larger bits.
 */
function sortableWord(scores: Scores, order: Uint32Array, word: number): Uint32Array {
  const words = scores.BYTES_PER_ELEMENT / 4;
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, scores.length * words);
  const sign = word === words - 1 ? 0x80000000 : 0;
  const keys = new Uint32Array(order.length);
  for (let rank = 0; rank < order.length; rank++) {
    const row = order[rank]!;
    const score = scores[row]!;
    const own = bits[row * words + word]!;
    keys[rank] = score < 0 ? ~own : score === 0 ? sign : own | sign;
  }
  return keys;
}

/** Stable; both arrays are used up. */
function sortByKeys(order: Uint32Array, keys: Uint32Array): Uint32Array {
  let [rows, nextRows]: [Uint32Array, Uint32Array] = [order, new Uint32Array(order.length)];
  let [present, next]: [Uint32Array, Uint32Array] = [keys, new Uint32Array(keys.length)];
  for (let shift = 0; shift < 32; shift += digitBits) {
    const place = digitStarts(present, shift);
    if (place === null) continue;
    for (let rank = 0; rank < rows.length; rank++) {
      const key = present[rank]!;
      const to = place[(key >>> shift) & (digits - 1)]!++;
      next[to] = key;
      nextRows[to] = rows[rank]!;
    }
    [rows, nextRows] = [nextRows, rows];
    [present, next] = [next, present];
  }
  return rows;
}

/** Where the keys of each digit begin, or null when all keys have the same one. */
function digitStarts(keys: Uint32Array, shift: number): Uint32Array | null {
  const counts = new Uint32Array(digits);
  for (let rank = 0; rank < keys.length; rank++) counts[(keys[rank]! >>> shift) & (digits - 1)]! += 1;
  if (counts.includes(keys.length)) return null;
  let start = 0;
  return counts.map((count) => {
    start += count;
    return start - count;
  });
}
