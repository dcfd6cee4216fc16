/**
 * The steps of Adam in which a row is not in the batch, made up for when it is next looked at.
 *
 * The dense optimiser goes through all rows at every step, for a row without a gradient moves on along its moments.
 * From moments m and v after step t, k steps with gradients of zero change a value by
 *
 *   −lr · Σ_j β₁^j m / (1 − β₁^(t+j)) / (√(β₂^j v) / √(1 − β₂^(t+j)) + ε)        j = 1 … k
 *   = −lr · m · Σ_j w_j / (√v + ε_j),   w_j = (β₁ / √β₂)^j · √(1 − β₂^(t+j)) / (1 − β₁^(t+j)),
 *                                       ε_j = ε · √(1 − β₂^(t+j)) / √β₂^j.
 *
 * Only ε_j ties j to the value, and it is nothing beside √v unless gradients are as small as ε. With the mean of all
 * ε_j, each weighed by w_j, in its place (right to first order in ε / √v), the change is −lr · m · W / (√v + E / W),
 * where W = Σ_j w_j and E = Σ_j w_j ε_j depend on t and k only and are the same for all values of all rows.
 */

import type { TableMemory } from './embedding-table-memory.ts';

/** Kingma and Ba (2015), and PyTorch's default. */
export const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];

/** Steps after which a first moment is taken for zero: what they would add to W is below 1e-12 of it. */
const horizon = 300;

const momentDecays = powers(beta1);
/** What depends on j in w_j, and in w_j ε_j. */
const weightDecays = powers(beta1 / Math.sqrt(beta2));
const epsilonDecays = powers(beta1 / beta2);

export interface IdleOptions {
  /** E */
  readonly dimension: number;
  readonly learningRate: number;
}

/** Steps that there is room for at first. */
const firstRoom = 1024;

/** Steps are counted from one that no row is behind, so that rows not begun by then need no entry. */
export class IdleRows {
  /** β₁^k for k = 0 … horizon. */
  readonly momentDecays: Float64Array;
  readonly #options: IdleOptions;
  /** All rows, as integers: the last number of each is the step after which it was brought up to date. (rows, stride) */
  readonly #notes: Int32Array;
  readonly #stride: number;
  readonly #memory: TableMemory;
  /** Updates before the count begins. */
  #before = 0;
  /** Steps counted. */
  #now = 0;
  /** W and E from each step t to this one. (now), or longer */
  #weights: Float64Array = new Float64Array(0);
  #epsilons: Float64Array = new Float64Array(0);
  /** β₂^k for each k up to now. (now + 1), or longer */
  #squareDecays: Float64Array = new Float64Array(0);

  /** @param values all rows, each with its moments and a number of ours behind it. (rows, 3 E + 1) */
  constructor(options: IdleOptions, memory: TableMemory, values: Float32Array) {
    this.#options = options;
    this.#memory = memory;
    this.#notes = new Int32Array(values.buffer, values.byteOffset, values.length);
    this.#stride = 3 * options.dimension + 1;
    this.momentDecays = memory.doubles(horizon + 1);
    this.momentDecays.set(momentDecays);
    this.#makeRoom(firstRoom);
    this.#restart(0);
  }

  get now(): number {
    return this.#now;
  }

  get weights(): Float64Array {
    return this.#weights;
  }

  get epsilons(): Float64Array {
    return this.#epsilons;
  }

  get squareDecays(): Float64Array {
    return this.#squareDecays;
  }

  /** Updates after which each of these rows was brought up to date. (n) */
  currentOf(rows: Int32Array): Int32Array {
    return rows.map((row) => this.#before + this.#notes[this.#noteOf(row)]!);
  }

  /**
   * Goes on after so many updates.
   * @param rows all that were begun. (n)
   * @param current as `currentOf` gave them. (n)
   */
  restore(updates: number, rows: Int32Array, current: Int32Array): void {
    this.#restart(current.reduce((least, value) => Math.min(least, value), updates));
    for (let update = this.#before; update < updates; update++) this.endStep();
    for (let index = 0; index < rows.length; index++) {
      this.#notes[this.#noteOf(rows[index]!)] = current[index]! - this.#before;
    }
  }

  /** Notes that a row begins. */
  begin(row: number): void {
    this.#notes[this.#noteOf(row)] = this.#now;
  }

  #noteOf(row: number): number {
    return (row + 1) * this.#stride - 1;
  }

  /** Begins anew with all rows as they are after so many updates. */
  #restart(updates: number): void {
    this.#before = updates;
    this.#now = 0;
    this.#squareDecays[0] = 1;
  }

  /** Longer arrays, with what was in the shorter ones. */
  #makeRoom(steps: number): void {
    const longer = (values: Float64Array) => {
      const room = this.#memory.doubles(steps + 1);
      room.set(values);
      return room;
    };
    this.#weights = longer(this.#weights);
    this.#epsilons = longer(this.#epsilons);
    this.#squareDecays = longer(this.#squareDecays);
  }

  /**
   * Changes rows as the steps in which they did not take part would have. Nothing happens to those that took part in
   * the last step, or to whose moments are zero.
   * @param values all rows. (rows, 3 E + 1)
   * @param rows may repeat; those from `start` to before `end` are brought up to date. (n)
   */
  catchUp(values: Float32Array, rows: Int32Array, start: number, end: number): void {
    const [notes, now] = [this.#notes, this.#now];
    for (let index = start; index < end; index++) {
      const note = this.#noteOf(rows[index]!);
      const since = notes[note]!;
      if (since === now) continue;
      this.#move(values, rows[index]!, since);
      notes[note] = now;
    }
  }

  /** Notes that these rows take part in the step that ends next. @param rows of which the first `count` count. (n) */
  takePart(rows: Int32Array, count: number): void {
    for (let index = 0; index < count; index++) this.#notes[this.#noteOf(rows[index]!)] = this.#now + 1;
  }

  /** Ends a step. Rows that took part were up to date before. */
  endStep(): void {
    const now = ++this.#now;
    if (now >= this.#weights.length) this.#makeRoom(2 * now);
    const step = this.#before + now;
    const root = Math.sqrt(1 - beta2 ** step);
    const weight = root / (1 - beta1 ** step);
    const [weights, epsilons] = [this.#weights, this.#epsilons];
    weights[now - 1] = 0;
    epsilons[now - 1] = 0;
    // Beyond the horizon W and E are final.
    for (let j = Math.min(now, horizon); j > 0; j--) {
      weights[now - j]! += weightDecays[j]! * weight;
      epsilons[now - j]! += epsilonDecays[j]! * weight * root * epsilon;
    }
    this.#squareDecays[now] = beta2 ** now;
  }

  /** Takes a row, with its moments, from the step `since` to this one. */
  #move(values: Float32Array, row: number, since: number): void {
    const { dimension, learningRate } = this.#options;
    const steps = this.#now - since;
    const weight = this.#weights[since]!;
    const rate = learningRate * weight;
    const small = this.#epsilons[since]! / weight;
    const momentDecay = steps > horizon ? 0 : momentDecays[steps]!;
    const squareDecay = this.#squareDecays[steps]!;
    const from = row * this.#stride;
    for (let value = from; value < from + dimension; value++) {
      const m = values[value + dimension]!;
      const v = values[value + 2 * dimension]!;
      values[value] = values[value]! - (rate * m) / (Math.sqrt(v) + small);
      values[value + dimension] = momentDecay * m;
      values[value + 2 * dimension] = squareDecay * v;
    }
  }
}

/** base^k for k = 0 … horizon. */
function powers(base: number): Float64Array {
  return Float64Array.from({ length: horizon + 1 }, (_, k) => base ** k);
}
