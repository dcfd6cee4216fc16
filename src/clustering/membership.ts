/** Which row is in which cluster, and the sums of the rows that are, kept up to date as rows move. */
import type { FoundChunk, SummedRows } from './centre-search.ts';
import { roundingLoss, type Space } from './space.ts';

const NOWHERE = -1;

/**
 * A row that moves is taken from one sum and added to the other, so that a pass costs no more than the moves, and
 * rows that join later simply come in addition (nested batches: Newling and Fleuret, 2016).
 */
export class Membership {
  /** Cluster of each row, −1 for a row that has not been looked at. (n) */
  readonly clusterOf: Int32Array;
  /** Loss of each row at the centre that it was assigned to. (n) */
  readonly losses: Float32Array;
  /** Rows in each cluster. (k) */
  readonly sizes: Int32Array;
  readonly #sums: Float64Array;
  readonly #width: number;
  readonly #space: Space;

  constructor(rows: number, clusters: number, width: number, space: Space) {
    this.clusterOf = new Int32Array(rows).fill(NOWHERE);
    this.losses = new Float32Array(rows);
    this.sizes = new Int32Array(clusters);
    this.#sums = new Float64Array(clusters * width);
    this.#width = width;
    this.#space = space;
  }

  /** Puts rows into the clusters that were found for them. @returns the sum of their losses */
  assign(source: SummedRows, { from, nearest, product }: FoundChunk): number {
    let total = 0;
    for (let i = 0; i < nearest.length; i++) {
      const loss = this.#space.loss(product[i]!, source.squaredLength(from + i));
      this.losses[from + i] = loss;
      total += loss;
      this.#move(source, from + i, nearest[i]!);
    }
    return total;
  }

  get empty(): number {
    return this.sizes.reduce((count, size) => count + Number(size === 0), 0);
  }

  /**
   * Moves into each empty cluster the row that is farthest from its centre, of the first `count` rows and of clusters
   * that have another. Clusters stay empty when every such row is equal to its centre.
   * @returns the clusters that have a row now
   */
  reseed(source: SummedRows, count: number): ReadonlySet<number> {
    const empty = [...this.sizes.keys()].filter((cluster) => this.sizes[cluster] === 0);
    const filled = new Set<number>();
    if (empty.length === 0) return filled;
    const rounding = roundingLoss(this.#width);
    // A row may be the last of its cluster: should the farthest not be enough, all are looked through.
    for (const candidates of [8 * empty.length, count]) {
      for (const row of farthest(this.losses.subarray(0, count), candidates)) {
        const cluster = empty[filled.size];
        if (cluster === undefined) return filled;
        if (this.losses[row]! <= rounding * source.squaredLength(row)) continue;
        if (this.sizes[this.clusterOf[row]!]! < 2) continue;
        this.losses[row] = 0;
        this.#move(source, row, cluster);
        filled.add(cluster);
      }
    }
    return filled;
  }

  /** Moves the centres (k, width) of these clusters to the middle of their rows. */
  settle(centres: Float32Array, moves: (cluster: number) => boolean): void {
    const width = this.#width;
    const sum = new Float64Array(width);
    for (let cluster = 0; cluster < this.sizes.length; cluster++) {
      if (this.sizes[cluster] === 0 || !moves(cluster)) continue;
      sum.set(this.#sums.subarray(cluster * width, (cluster + 1) * width));
      if (this.#space.settle(sum)) centres.set(sum, cluster * width);
    }
  }

  #move(source: SummedRows, row: number, to: number): void {
    const from = this.clusterOf[row]!;
    if (from === to) return;
    if (from !== NOWHERE) {
      this.sizes[from]!--;
      source.addTo(this.#sums, from * this.#width, row, -1);
    }
    this.sizes[to]!++;
    source.addTo(this.#sums, to * this.#width, row, 1);
    this.clusterOf[row] = to;
  }
}

/** The places of the `count` largest values, and of those that equal the least of them; largest first, then by place. */
function farthest(losses: Float32Array, count: number): readonly number[] {
  const limit = losses.toSorted()[Math.max(0, losses.length - count)]!;
  const rows: number[] = [];
  for (let row = 0; row < losses.length; row++) if (losses[row]! >= limit) rows.push(row);
  return rows.sort((a, b) => losses[b]! - losses[a]! || a - b);
}
