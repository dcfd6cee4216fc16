/** The embeddings of all ids as a ranker in training uses them, wherever their rows lie. */
import type { SparseOptimizer } from './sparse-optimizers.ts';

/** The lookups of a batch whose update is being prepared. */
export interface Prepared {
  /** n */
  readonly lookups: number;
  /** Distinct rows among them. */
  readonly distinct: number;
}

/** What a table has learned. Rows that were never looked up are left out: they are as they start. */
export interface TableState {
  readonly optimizer: SparseOptimizer['name'];
  readonly dimension: number;
  /** Updates so far. */
  readonly step: number;
  /** The rows that were looked up, ascending. (n) */
  readonly rows: Int32Array;
  /** Their values and slots. (n, 1 + slots, E) */
  readonly memory: Float32Array;
  /**
   * Updates after which each was last brought up to date; null where the optimiser leaves rows outside of a batch
   * alone. (n)
   */
  readonly current: Int32Array | null;
}

/**
 * Rows of a batch are announced or not, looked up, and changed. Where several processes hold the rows together, each of these
 * is a collective: all do the same in the same order, each with the rows of its own share of the batch.
 */
export interface RankerTable {
  /** Length E of a row. */
  readonly dimension: number;
  /**
   * Says of which rows the next batch is, while another one is computed: what can be done for it does not depend on values.
   * @param rows the array that is looked up then. (n)
   */
  announce(rows: Int32Array): void | Promise<void>;
  /**
   * The embeddings of the rows of a batch, which may repeat. (n) → (n, E)
   * @returns the table's own memory, which holds them until the next look
   */
  lookUp(rows: Int32Array): Float32Array | Promise<Float32Array>;
  /** The part of an update that does not depend on the gradient. @param rows those that were looked up last. (n) */
  prepareUpdate(rows: Int32Array): Prepared;
  /** Where the gradient of an update may be written, so that it is not copied. (n, E) */
  roomForGradient(lookups: number): Float32Array;
  /**
   * One optimiser step, with the gradients of a row summed over the whole batch.
   * @param prepared the last one
   * @param gradient of the loss with respect to what `lookUp` gave. (n, E)
   */
  update(prepared: Prepared, gradient: Float32Array): void | Promise<void>;
  /** What was learned, of the rows that are here. */
  state(): TableState;
  /** The embeddings that were looked up, of the rows that are here: a state without slots. */
  values(): TableState;
  /** Puts a state back, of which the rows are kept that belong here. @throws CourierError CHECKPOINT_INVALID */
  restore(state: TableState): void;
}
