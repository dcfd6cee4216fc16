/** The rows of a batch whose table lies in shards: which they are, their values once they are here, and their gradients. */
import { CourierError } from '../errors.ts';
import { entriesFor, type TableOptions } from './embedding-table-kernels.ts';
import { type Kernels, kernelsOn } from './kernel-module.ts';
import { LinearMemory } from './linear-memory.ts';
import { rowInShard, shardOf } from './table-shard.ts';

/** What a batch wants of the shards. */
export interface WantedRows {
  /** The lookups that it is of. (n) */
  readonly rows: Int32Array;
  /** Distinct rows by their number in their shard, those of the first shard first. (d) */
  readonly wanted: Int32Array;
  /** How many are of each shard. */
  readonly ofShard: readonly number[];
  /** The place of each lookup among the wanted rows, −1 for padding. (n) */
  readonly places: Int32Array;
}

export class BatchRows {
  readonly #shards: number;
  readonly #rows: number;
  readonly #dimension: number;
  readonly #kernels: Kernels;
  readonly #places: Int32Array; // (n)
  readonly #entries: Int32Array;
  readonly #distinct: Int32Array; // (n)
  /** Values of the wanted rows, and later the sums of their gradients. (n, E) */
  readonly #ofRows: Float32Array;
  readonly #spread: Float32Array; // (n, E)
  readonly #gradient: Float32Array; // (n, E)

  /**
   * @param options of the whole table
   * @throws CourierError LIMIT_EXCEEDED for a batch that does not fit into WebAssembly's memory
   */
  constructor({ rows, dimension, lookups }: TableOptions, shards: number) {
    this.#shards = shards;
    this.#rows = rows;
    this.#dimension = dimension;
    const memory = new LinearMemory();
    try {
      this.#places = memory.integers(lookups);
      this.#entries = memory.integers(2 * entriesFor(lookups));
      this.#distinct = memory.integers(lookups);
      this.#ofRows = memory.floats(lookups * dimension);
      this.#spread = memory.floats(lookups * dimension);
      this.#gradient = memory.floats(lookups * dimension);
    } catch (error) {
      throw error instanceof RangeError ? tooLarge(lookups, dimension) : error;
    }
    this.#kernels = kernelsOn(memory);
    this.#kernels.describeTable(0, 0, 0, dimension, 0, 0, 0, 1, 0, 0);
  }

  /** @param rows of the lookups, which may repeat. (n) */
  find(rows: Int32Array): WantedRows {
    const [places, distinct, shards] = [this.#places, this.#distinct, this.#shards];
    places.set(rows);
    const entries = this.#entries.byteOffset;
    const bits = Math.log2(entriesFor(rows.length));
    const found = this.#kernels.findDistinct(
      ...[places.byteOffset, rows.length, entries, bits, distinct.byteOffset],
    );
    const ofShard = new Array<number>(shards).fill(0);
    for (let index = 0; index < found; index++) {
      const row = distinct[index]!;
      if (row < 0 || row >= this.#rows) throw new Error(`row ${row} is not one of the table's ${this.#rows}`);
      ofShard[shardOf(row, { count: shards })]! += 1;
    }
    const next = Int32Array.from(ofShard);
    for (let shard = 0, end = 0; shard < shards; shard++) {
      next[shard] = end;
      end += ofShard[shard]!;
    }
    const [wanted, placeOf] = [new Int32Array(found), new Int32Array(found)];
    for (let index = 0; index < found; index++) {
      const row = distinct[index]!;
      const place = next[shardOf(row, { count: shards })]!++;
      wanted[place] = rowInShard(row, { count: shards });
      placeOf[index] = place;
    }
    const ordered = new Int32Array(rows.length);
    for (let index = 0; index < rows.length; index++) {
      const place = places[index]!;
      ordered[index] = place < 0 ? place : placeOf[place]!;
    }
    return { rows, wanted, ofShard, places: ordered };
  }

  /** Where the values of the wanted rows are to be written. (d, E) */
  roomForValues({ wanted }: WantedRows): Float32Array {
    return this.#ofRows.subarray(0, wanted.length * this.#dimension);
  }

  /** Their values, written before, as the lookups have them. (n, E) */
  spread({ places }: WantedRows): Float32Array {
    this.#places.set(places);
    const [at, from, to] = [this.#places, this.#ofRows, this.#spread].map(({ byteOffset }) => byteOffset);
    this.#kernels.spread(at!, places.length, from!, to!);
    return this.#spread.subarray(0, places.length * this.#dimension);
  }

  /** Where the gradient of the lookups is to be written. (n, E) */
  roomForGradient(lookups: number): Float32Array {
    return this.#gradient.subarray(0, lookups * this.#dimension);
  }

  /** The gradient, written before, summed for each of the wanted rows. (d, E) */
  sums({ places, wanted }: WantedRows): Float32Array {
    this.#places.set(places);
    const [at, from, to] = [this.#places, this.#gradient, this.#ofRows].map(({ byteOffset }) => byteOffset);
    this.#kernels.sumInAnyOrder(at!, places.length, from!, to!, wanted.length);
    return this.#ofRows.subarray(0, wanted.length * this.#dimension);
  }
}

function tooLarge(lookups: number, dimension: number): CourierError {
  return new CourierError(
    'LIMIT_EXCEEDED',
    `A batch of ${lookups} lookups of ${dimension} values a process takes more than the 4 GiB that it may.`,
    'Lower `batchSize` or `embeddingDimension`, or start more processes.',
  );
}
