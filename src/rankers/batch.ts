/** Exposures put together for one run of a ranker, filled up to a fixed size. */
import type { DenseColumns } from './dense-columns.ts';
import { paddingRow } from './embedding-table.ts';
import { type Fields, lookupsOf, type RankerData } from './fields.ts';

/** B rows, of which the first `count` are exposures and the rest padding without weight. */
export interface Batch {
  readonly count: number;
  /** Rows of the embedding table. (B, L) */
  readonly lookups: Int32Array;
  /** (B, H) */
  readonly historyMask: Float32Array;
  /** (B, N) */
  readonly dense: Float32Array;
  /** 1 for a click, 0 for none. (B) */
  readonly labels: Float32Array;
  /** 1 for an exposure, 0 for padding. (B) */
  readonly weights: Float32Array;
}

export class BatchAssembler {
  readonly fields: Fields;
  readonly columns: DenseColumns;
  readonly batchSize: number;
  readonly #clicked: Uint8Array;

  constructor(data: RankerData, fields: Fields, columns: DenseColumns, batchSize: number) {
    this.fields = fields;
    this.columns = columns;
    this.batchSize = batchSize;
    this.#clicked = data.exposures.clicked;
  }

  /** @param rows at most B exposures */
  assemble(rows: Int32Array): Batch {
    const { batchSize, fields, columns } = this;
    if (rows.length > batchSize) throw new Error(`${rows.length} exposures for a batch of ${batchSize}`);
    const batch: Batch = {
      count: rows.length,
      lookups: new Int32Array(batchSize * lookupsOf(fields.layout)).fill(paddingRow),
      historyMask: new Float32Array(batchSize * fields.layout.historyLength),
      dense: new Float32Array(batchSize * columns.width),
      labels: new Float32Array(batchSize),
      weights: new Float32Array(batchSize).fill(1, 0, rows.length),
    };
    fields.fill(rows, batch.lookups, batch.historyMask);
    columns.fill(rows, batch.dense);
    for (const [index, row] of rows.entries()) batch.labels[index] = this.#clicked[row]!;
    return batch;
  }
}
