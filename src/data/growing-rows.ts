/** A table of numbers that has as many rows as were ever asked for. */
export class GrowingRows {
  readonly width: number;
  /** Row-major, until the next call of `place`. */
  values: Float64Array;

  constructor(width: number) {
    this.width = width;
    this.values = new Float64Array(32 * width);
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
