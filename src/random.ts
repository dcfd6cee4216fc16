/** The one source of randomness: seeded, passed in, never global. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** What a generator needs to go on exactly where it stopped. */
export type RandomState = readonly number[];

export class Random {
  readonly #generator: RandomGenerator;

  private constructor(generator: RandomGenerator) {
    this.#generator = generator;
  }

  /**
   * A generator for one purpose. Different purposes of one seed give independent streams, so that drawing
   * more in one place leaves the others as they were.
   */
  static seeded(seed: number, purpose: string): Random {
    return new Random(xoroshiro128plus(hash32(`${seed}:${purpose}`)));
  }

  static fromState(state: RandomState): Random {
    return new Random(xoroshiro128plusFromState(state));
  }

  get state(): RandomState {
    return this.#generator.getState();
  }

  /** A number in [0, 1) with 53 random bits. */
  uniform(): number {
    return uniformFloat64(this.#generator);
  }

  /** An integer in [0, end). */
  integer(end: number): number {
    return uniformInt(this.#generator, 0, end - 1);
  }

  /** A draw from the standard normal distribution (Box and Muller, 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** One of the values, each equally likely. */
  pick<T>(values: readonly T[]): T {
    const index = this.integer(values.length);
    return values[index]!;
  }

  /** Puts the values into random order, in place (Fisher and Yates). */
  shuffle<T extends number[] | Int32Array | string[]>(values: T): T {
    for (let last = values.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      const kept = values[last]!;
      values[last] = values[other]!;
      values[other] = kept;
    }
    return values;
  }
}

/** FNV-1a with a final mix: spreads neighbouring seeds over all 32 bits. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}
