/** Scores of a ranker, in training or not: its graph in the compute thread, its embedding table here. */
import { oneProcess } from '../collectives/one-process.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import { evenShares, ownShare } from '../collectives/shares.ts';
import { floats, type Session } from '../runtime/engine.ts';
import type { NamedValues } from '../runtime/protocol.ts';
import type { Batch, BatchAssembler } from './batch.ts';
import { PartOrder } from './embedded-parts.ts';
import { lookupsOf } from './fields.ts';
import type { RankerTable } from './ranker-table.ts';

export class RankerScorer {
  readonly #assembler: BatchAssembler;
  readonly #table: RankerTable;
  readonly #session: Session;
  readonly #parts: PartOrder;
  readonly #group: ProcessGroup;

  /**
   * @param session gives the `scores` of a batch
   * @param group the processes that share the table, and what is to be scored
   */
  constructor(
    assembler: BatchAssembler,
    table: RankerTable,
    session: Session,
    group: ProcessGroup = oneProcess,
  ) {
    this.#assembler = assembler;
    this.#table = table;
    this.#session = session;
    this.#parts = new PartOrder(assembler.fields.layout);
    this.#group = group;
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
    const shares = evenShares(rows.length, this.#group);
    const own = ownShare(shares, this.#group);
    // All look up as often, whose share is a little smaller too.
    const batches = Math.ceil(Math.max(...shares) / batchSize);
    for (let index = 0, from = own.from; index < batches; index++, from += batchSize) {
      const batch = assemble(rows.subarray(from, Math.min(from + batchSize, own.to)));
      const embedded = await this.#table.lookUp(this.#parts.order(batch.lookups));
      const values = await this.#session.run(feedsOf(batch, this.#assembler), this.#parts.named(embedded));
      scores.set(floats(values, 'scores').subarray(0, batch.count), from);
    }
    await this.#group.allGather(scores, shares);
    return scores;
  }

  /** The embeddings of these rows of the table, as a batch would be given them. (n) → (n, E) */
  async embeddings(rows: Int32Array): Promise<Float32Array> {
    const { batchSize, fields } = this.#assembler;
    const { dimension } = this.#table;
    const atOnce = batchSize * lookupsOf(fields.layout);
    const all = new Float32Array(rows.length * dimension);
    for (let from = 0; from < rows.length; from += atOnce)
      all.set(await this.#table.lookUp(rows.subarray(from, from + atOnce)), from * dimension);
    return all;
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
