/** Rows of a table by two numbers, such as a user and an item. */
import { safePlace } from '../../progress.ts';
import { NONE } from '../dataset.ts';
import { integersOf, rowsBetweenPauses, type StateArrays } from './state-arrays.ts';

/**
 * A hash table with open addressing over typed memory: 8 bytes a pair and two to four slots of 4 bytes, where a Map takes
 * some 60 and ends at 2^24 entries. Rows are numbered from 0 in the order in which their pairs came.
 */
export class PairIndex {
  #count = 0;
  /** The pairs, by row. (rows, 2) */
  #pairs = new Int32Array(2 * 32);
  /** A row, counted from 1; 0 in a free slot. At most half of them are taken. */
  #slots = new Int32Array(64);

  /** The row of a pair of integers of 32 bits, or NONE. */
  find(first: number, second: number): number {
    return this.#slots[this.#slotOf(first, second)]! - 1;
  }

  /** The row of a pair, a new one where it had none. */
  add(first: number, second: number): number {
    const known = this.find(first, second);
    if (known !== NONE) return known;
    if (2 * (this.#count + 1) > this.#slots.length) this.#grow();
    const row = this.#count++;
    this.#pairs[2 * row] = first;
    this.#pairs[2 * row + 1] = second;
    this.#slots[this.#slotOf(first, second)] = row + 1;
    return row;
  }

  state(): StateArrays {
    return new Map([['pairs', this.#pairs.slice(0, 2 * this.#count)]]);
  }

  /** Puts a state into an empty index. @throws Error where a pair is there twice */
  async restore(state: StateArrays): Promise<void> {
    const pairs = integersOf(state, 'pairs');
    if (pairs.length % 2 !== 0) throw new Error(`${pairs.length} numbers are no pairs`);
    // As large as it gets: growing would number all pairs anew at once.
    while (this.#slots.length < pairs.length) this.#grow();
    for (let row = 0; row < pairs.length / 2; row++) {
      if (row % rowsBetweenPauses === 0) await safePlace(undefined);
      if (this.add(pairs[2 * row]!, pairs[2 * row + 1]!) !== row)
        throw new Error(`pair ${row} is there twice`);
    }
  }

  #grow(): void {
    const pairs = new Int32Array(2 * this.#pairs.length);
    pairs.set(this.#pairs);
    this.#pairs = pairs;
    this.#slots = new Int32Array(2 * this.#slots.length);
    for (let row = 0; row < this.#count; row++) {
      this.#slots[this.#slotOf(pairs[2 * row]!, pairs[2 * row + 1]!)] = row + 1;
    }
  }

  /** The slot of a pair, or the free one where it would be. */
  #slotOf(first: number, second: number): number {
    const last = this.#slots.length - 1;
    for (let slot = hashOf(first, second) & last; ; slot = (slot + 1) & last) {
      const row = this.#slots[slot]! - 1;
      if (row === NONE) return slot;
      if (this.#pairs[2 * row] === first && this.#pairs[2 * row + 1] === second) return slot;
    }
  }
}

/** MurmurHash3's last mixing, so that neighbouring numbers do not lie side by side. */
function hashOf(first: number, second: number): number {
  let hash = Math.imul(first, 0x9e3779b1) ^ second;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
