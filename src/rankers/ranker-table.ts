/** The embeddings of all ids as a ranker in training uses them, wherever their rows lie. */
import type { Prepared, TableState } from './embedding-table.ts';

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
