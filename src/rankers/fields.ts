/**
 * The categorical side of an exposure: which rows of the embedding table describe user, context, candidate
 * and history.
 *
 * Letters in shapes: B exposures of a batch, S fields of user and context, G fields of an item, H history
 * places, L = S + G + H·G lookups per exposure.
 */
import { type Dataset, NONE, splits } from '../data/dataset.ts';
import { pageViewOfRows } from '../features/feature.ts';
import { paddingRow } from './embedding-table.ts';
import { assignRows } from './vocabulary.ts';

/** The part of a dataset that rankers look at. */
export type RankerData = Pick<Dataset, 'catalogue' | 'users' | 'pageViews' | 'exposures'>;

/** How the lookups of an exposure are laid out: user and context, then candidate, then history. */
export interface FieldLayout {
  /** S: the user and every context column. */
  readonly situationFields: number;
  /** G: the item and every category. Candidate and history share the embeddings. */
  readonly itemFields: number;
  /** H */
  readonly historyLength: number;
}

export function lookupsOf({ situationFields, itemFields, historyLength }: FieldLayout): number {
  return situationFields + itemFields * (1 + historyLength);
}

/** The exposures of a split, in the order of the dataset. */
export function rowsOfSplit(data: RankerData, split: (typeof splits)[number]): Int32Array {
  const wanted = splits.indexOf(split);
  const { pageViews } = data;
  return pageViewOfRows(data)
    .map((pageView, row) => (pageViews.split[pageView] === wanted ? row : -1))
    .filter((row) => row !== -1);
}

export class Fields {
  readonly layout: FieldLayout;
  /** Rows that the embedding table needs. */
  readonly tableRows: number;
  readonly #data: RankerData;
  readonly #pageViewOf: Int32Array;
  /** Table row by user. */
  readonly #user: Int32Array;
  /** Table row by exposure, for each context column. */
  readonly #context: readonly Int32Array[];
  /** Table row by item, for each field of an item. */
  readonly #item: readonly Int32Array[];

  /** Vocabularies are those of the training exposures; whatever is new later is "unknown". */
  constructor(data: RankerData, trainingRows: Int32Array, minimumCount: number) {
    const { catalogue, users, pageViews, exposures } = data;
    const pageViewOf = pageViewOfRows(data);
    let end = paddingRow + 1;
    const assign = (codeOfRow: (row: number) => number, codes: number): Int32Array => {
      const assigned = assignRows(trainingRows.map(codeOfRow), codes, minimumCount, end);
      end = assigned.end;
      return assigned.rowOf;
    };
    this.#user = assign((row) => pageViews.user[pageViewOf[row]!]!, users.length);
    this.#context = exposures.context.map(({ codes, values }) => {
      const rowOf = assign((row) => codes[row]!, values.length);
      return codes.map((code) => rowOf[code]!);
    });
    const byItem = assign((row) => exposures.item[row]!, catalogue.ids.length);
    const byCategory = catalogue.categories.map(({ codes, values }) => {
      const rowOf = assign((row) => codes[exposures.item[row]!]!, values.length);
      return codes.map((code) => rowOf[code]!);
    });
    this.#item = [byItem, ...byCategory];
    this.#data = data;
    this.#pageViewOf = pageViewOf;
    this.tableRows = end;
    this.layout = {
      situationFields: 1 + this.#context.length,
      itemFields: this.#item.length,
      historyLength: pageViews.historyLength,
    };
  }

  /**
   * Writes the table rows of these exposures and which history places are filled.
   * @param lookups (n, L)
   * @param historyMask 1 for a history item, 0 for padding. (n, H)
   */
  fill(rows: Int32Array, lookups: Int32Array, historyMask: Float32Array): void {
    const { pageViews, exposures } = this.#data;
    const { historyLength } = this.layout;
    let at = 0;
    for (const [index, row] of rows.entries()) {
      const pageView = this.#pageViewOf[row]!;
      lookups[at++] = this.#user[pageViews.user[pageView]!]!;
      for (const column of this.#context) lookups[at++] = column[row]!;
      for (const field of this.#item) lookups[at++] = field[exposures.item[row]!]!;
      for (let place = 0; place < historyLength; place++) {
        const item = pageViews.history[pageView * historyLength + place]!;
        historyMask[index * historyLength + place] = item === NONE ? 0 : 1;
        for (const field of this.#item) lookups[at++] = item === NONE ? paddingRow : field[item]!;
      }
    }
  }
}
