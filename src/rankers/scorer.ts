/** Scores of a ranker, in training or not: its graph in the compute thread, its embedding table here. */
import { floats, type Session } from '../runtime/engine.ts';
import type { NamedValues } from '../runtime/protocol.ts';
import type { Batch, BatchAssembler } from './batch.ts';
import { PartOrder } from './embedded-parts.ts';
import type { EmbeddingTable } from './embedding-table.ts';

export class RankerScorer {
  readonly #assembler: BatchAssembler;
  readonly #table: EmbeddingTable;
  readonly #session: Session;
  readonly #parts: PartOrder;

  /** @param session gives the `scores` of a batch */
  constructor(assembler: BatchAssembler, table: EmbeddingTable, session: Session) {
    this.#assembler = assembler;
    this.#table = table;
    this.#session = session;
    this.#parts = new PartOrder(assembler.fields.layout);
  }

  /**
   * The probability of a click on each of these exposures. (n)
   * @param assemble how a part of them becomes a batch
   */
  async score(
    rows: Int32Array,
    assemble: (part: Int32Array) => Batch = (part) => this.#assembler.assemble(part),
  ): Promise<Float32Array> {
    const { batchSize } = this.#assembler;
    const scores = new Float32Array(rows.length);
    for (let from = 0; from < rows.length; from += batchSize) {
      const batch = assemble(rows.subarray(from, from + batchSize));
      const embedded = this.#table.lookUp(this.#parts.order(batch.lookups));
      const values = await this.#session.run(feedsOf(batch, this.#assembler), this.#parts.named(embedded));
      scores.set(floats(values, 'scores').subarray(0, batch.count), from);
    }
    return scores;
  }

  /** The embeddings of these rows of the table, as a batch would be given them. (n) → (n, E) */
  embeddings(rows: Int32Array): Float32Array {
    return this.#table.gather(rows);
  }
}

/** What the graph takes of a batch: all but the embedded ids, which are large. */
export function feedsOf(
  batch: Batch,
  {
    columns,
    visualColumns,
    nearness,
    visual,
  }: Pick<BatchAssembler, 'columns' | 'visualColumns' | 'nearness' | 'visual'>,
): NamedValues {
  return {
    historyMask: batch.historyMask,
    ...(columns.width === 0 ? {} : { dense: batch.dense }),
    ...(visualColumns.width === 0 ? {} : { visual: batch.visual }),
    ...(nearness ? { nearness: batch.nearness } : {}),
    ...(visual ? { category: batch.category } : {}),
  };
}
