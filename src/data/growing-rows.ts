/** A table of numbers that has as many rows as were ever asked for. */
export class GrowingRows {
  readonly width: number;
  #values: Float64Array;

  constructor(width: number) {
    this.width = width;
    this.#values = new Float64Array(32 * width);
  }

  /** A row to be looked at, all zeros where nothing was written. (width) */
  read(row: number): Float64Array {
    return this.#has(row) ? this.#slice(row) : new Float64Array(this.width);
  }

  /** A row to be written, until the next call. (width) */
  write(row: number): Float64Array {
    if (!this.#has(row)) {
      const larger = new Float64Array(Math.max(2 * this.#values.length, (row + 1) * this.width));
      larger.set(this.#values);
      this.#values = larger;
    }
    return this.#slice(row);
  }

  #has(row: number): boolean {
    return row >= 0 && (row + 1) * this.width <= this.#values.length;
  }

  #slice(row: number): Float64Array {
    return this.#values.subarray(row * this.width, (row + 1) * this.width);
  }
}
