/**
 * Where an embedding starts, computed when it is first needed: by counting, not by drawing in turn, so that a
 * value depends on the key, its row and its place in the row, and on nothing that happened before.
 */

import { mix32 } from '../murmur-hash.ts';
import type { Random } from '../random.ts';

/** Deviation of fresh embeddings: small, so that an id starts with almost no opinion. */
const deviation = 0.01;

/** Uniform draws of deviation 1 lie in ±√3. */
const scale = (2 * Math.sqrt(3) * deviation) / 2 ** 32;

/** Odd, and far from any pattern in row numbers: 2³² over the golden ratio. */
const golden = 0x9e3779b9;

/** Two 32-bit integers, so that two rows in which one word is the same by chance still differ. */
export interface StartKey {
  readonly first: number;
  readonly second: number;
}

export function drawStartKey(random: Random): StartKey {
  return { first: random.integer(2 ** 32) | 0, second: random.integer(2 ** 32) | 0 };
}

/** Writes the embedding that `row` starts with, uniform around 0, into `memory` from `from` on. (E) */
export function writeStart(
  { first, second }: StartKey,
  row: number,
  memory: Float32Array,
  from: number,
  dimension: number,
): void {
  const a = mix32(row ^ first);
  const b = mix32((row + second) | 0);
  for (let place = 0, counter = b; place < dimension; place++) {
    counter = (counter + golden) | 0;
    memory[from + place] = scale * (mix32(counter ^ a) + 0.5);
  }
}
