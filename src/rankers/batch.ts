/** Exposures put together for one run of a ranker, filled up to a fixed size. */

import type { VisualFeature } from '../data/visual-feature.ts';
import { CourierError } from '../errors.ts';
import { baseColumns, DenseColumns, visualColumns } from './dense-columns.ts';
import { paddingRow } from './embedding-table.ts';
import { type FieldOptions, Fields, lookupsOf, type RankerData } from './fields.ts';

/** B rows, of which the first `count` are exposures and the rest padding without weight. */
export interface Batch {
  readonly count: number;
  /** Exposures of the whole batch, where this is a share of one. */
  readonly wholeCount: number;
  /** Rows of the embedding table. (B, L) */
  readonly lookups: Int32Array;
  /** (B, H) */
  readonly historyMask: Float32Array;
  /** Base features. (B, N) */
  readonly dense: Float32Array;
  /** What the visual feature sees. (B, W) */
  readonly visual: Float32Array;
  /** How near the candidate is to each history place, 0 to 2; empty where the feature does not tell. (B, H) */
  readonly nearness: Float32Array;
  /** Code of the candidate's category, whose gate the visual side passes. (B) */
  readonly category: Int32Array;
  /** 1 for a click, 0 for none. (B) */
  readonly labels: Float32Array;
  /** 1 for an exposure, 0 for padding. (B) */
  readonly weights: Float32Array;
}

export interface AssemblerOptions extends FieldOptions {
  readonly batchSize: number;
  /** Between how many quantiles values of base features are also told apart; 0 for none. */
  readonly numericPieces: number;
  /** Category column by which the gate distinguishes; the first one without it. */
  readonly gateCategory: string | null;
}

/** Gates of the visual side, a category each. */
export interface GateCategories {
  readonly name: string;
  readonly values: readonly string[];
  /** By item. (N) */
  readonly codes: Int32Array;
}

export class BatchAssembler {
  readonly fields: Fields;
  readonly columns: DenseColumns;
  readonly visualColumns: DenseColumns;
  readonly gate: GateCategories;
  readonly batchSize: number;
  readonly #data: RankerData;
  readonly #fillNearness: VisualFeature['fillNearness'];

  /**
   * @param trainingRows exposures that vocabularies and statistics of base features are taken from
   * @param learnedRows those that statistics of what images give are taken from: an encoder's similarities are too good
   * on clicks that it learned from
   * @throws CourierError VALUE_INVALID for a column that is not finite
   */
  constructor(
    data: RankerData,
    feature: VisualFeature | null,
    trainingRows: Int32Array,
    options: AssemblerOptions,
    learnedRows: Int32Array = trainingRows,
  ) {
    const { batchSize, gateCategory, numericPieces } = options;
    this.fields = new Fields(data, trainingRows, options, feature?.codes ?? []);
    this.columns = new DenseColumns(baseColumns(data), trainingRows, numericPieces);
    this.visualColumns = new DenseColumns(visualColumns(feature), learnedRows);
    this.gate = gateCategories(data, gateCategory);
    this.batchSize = batchSize;
    this.#data = data;
    this.#fillNearness = feature?.fillNearness ?? null;
  }

  /** Whether images take part. */
  get visual(): boolean {
    return this.fields.layout.visualFields > 0 || this.visualColumns.width > 0 || this.nearness;
  }

  /** Whether the feature tells how near the candidate is to each history place. */
  get nearness(): boolean {
    return this.#fillNearness !== null;
  }

  /**
   * @param rows at most B exposures
   * @param wholeCount of the batch that they are a share of, where they are not all of it
   */
  assemble(rows: Int32Array, wholeCount = rows.length): Batch {
    const { batchSize, fields, columns, visualColumns } = this;
    const { item, clicked } = this.#data.exposures;
    if (rows.length > batchSize) throw new Error(`${rows.length} exposures for a batch of ${batchSize}`);
    const length = lookupsOf(fields.layout);
    const batch: Batch = {
      count: rows.length,
      wholeCount,
      lookups: new Int32Array(batchSize * length).fill(paddingRow, rows.length * length),
      historyMask: new Float32Array(batchSize * fields.layout.historyLength),
      dense: new Float32Array(batchSize * columns.width),
      visual: new Float32Array(batchSize * visualColumns.width),
      nearness: new Float32Array(this.nearness ? batchSize * fields.layout.historyLength : 0),
      category: new Int32Array(batchSize),
      labels: new Float32Array(batchSize),
      weights: new Float32Array(batchSize).fill(1, 0, rows.length),
    };
    fields.fill(rows, batch.lookups, batch.historyMask);
    columns.fill(rows, batch.dense);
    visualColumns.fill(rows, batch.visual);
    this.#fillNearness?.(rows, batch.nearness);
    for (let index = 0; index < rows.length; index++) {
      batch.labels[index] = clicked[rows[index]!]!;
      batch.category[index] = this.gate.codes[item[rows[index]!]!]!;
    }
    return batch;
  }
}

/** @throws CourierError CONFIG_INVALID for a name that is no category of the catalogue */
export function gateCategories(
  { catalogue }: Pick<RankerData, 'catalogue'>,
  name: string | null,
): GateCategories {
  const { categories, ids } = catalogue;
  const column = name === null ? categories[0] : categories.find((category) => category.name === name);
  if (column !== undefined) return column;
  if (name === null) return { name: 'all items', values: ['all items'], codes: new Int32Array(ids.length) };
  throw categoryUnknown(
    name,
    categories.map((category) => category.name),
  );
}

function categoryUnknown(name: string, known: readonly string[]): CourierError {
  return new CourierError(
    'CONFIG_INVALID',
    `Invalid ranker configuration: gateCategory is ${name}, which is no category of the dataset.`,
    known.length === 0 ? 'Leave it out: the dataset has none.' : `Choose one of ${known.join(', ')}.`,
  );
}
