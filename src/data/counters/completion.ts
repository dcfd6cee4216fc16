/** Missing numbers as a ranker is given them: the mean in their place, and 1 in a column behind it. */
import { missingName } from './base-features.ts';

export class Completion {
  /** Of what comes out: behind each column in which a value may be missing, the one that says where. */
  readonly names: readonly string[];
  /** What stands where a value is missing, by the name of each column in which one may be. */
  readonly means: ReadonlyMap<string, number>;
  readonly #given: readonly string[];

  /** @param given names of the columns that go in. (W) */
  constructor(given: readonly string[], means: ReadonlyMap<string, number>) {
    this.names = given.flatMap((name) => (means.has(name) ? [name, missingName(name)] : [name]));
    this.means = means;
    this.#given = given;
  }

  /** Whether nothing may be missing, so that what comes out is what goes in. */
  get isWhole(): boolean {
    return this.means.size === 0;
  }

  /** @param raw NaN where a value is missing (n, W) @param out (n, F) */
  fill(raw: Float32Array, out: Float32Array): void {
    const width = this.#given.length;
    const means = this.#given.map((name) => this.means.get(name));
    for (let from = 0, to = 0; from < raw.length; from += width) {
      for (let column = 0; column < width; column++) {
        const value = raw[from + column]!;
        const mean = means[column];
        const absent = mean !== undefined && Number.isNaN(value);
        out[to++] = absent ? mean : value;
        if (mean !== undefined) out[to++] = absent ? 1 : 0;
      }
    }
  }
}
