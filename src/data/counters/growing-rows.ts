/** A table of numbers that has as many rows as were ever asked for. */
import { doublesOf, type StateArrays } from './state-arrays.ts';

export class GrowingRows {
  readonly width: number;
  /** Row-major, until the next call of `place`. */
  values: Float64Array;

  constructor(width: number) {
    this.width = width;
    this.values = new Float64Array(32 * width);
  }

  /** Its rows up to the last that holds anything. */
  state(): StateArrays {
    let end = this.values.length;
    while (end > 0 && this.values[end - 1] === 0) end--;
    return new Map([['rows', this.values.slice(0, Math.ceil(end / this.width) * this.width)]]);
  }

  /** Puts a state back in place of what is there. @throws Error for one of another width */
  async restore(state: StateArrays): Promise<void> {
    const rows = await doublesOf(state, 'rows');
    if (rows.length % this.width !== 0) throw new Error(`${rows.length} values are no rows of ${this.width}`);
    this.values = new Float64Array(Math.max(32 * this.width, rows.length));
    this.values.set(rows);
  }

  /** Where a row begins in `values`, null where nothing was written. */
  find(row: number): number | null {
    const at = row * this.width;
    return row >= 0 && at + this.width <= this.values.length ? at : null;
  }

  /** Where a row to be written begins in `values`. */
  place(row: number): number {
    const at = row * this.width;
    if (at + this.width > this.values.length) {
      const larger = new Float64Array(Math.max(2 * this.values.length, at + this.width));
      larger.set(this.values);
      this.values = larger;
    }
    return at;
  }
}
