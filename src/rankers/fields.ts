/**
 * The categorical side of an exposure: which rows of the embedding table describe user, context, candidate
 * and history.
 *
 * Letters in shapes: B exposures of a batch, S fields of user and context, G fields of an item, V codes of an
 * item by its photo, H history places, L = S + (G + V)·(1 + H) lookups per exposure, E length of an embedding.
 */

import { type Dataset, NONE, pageViewOfRows, splits } from '../data/dataset.ts';
import type { ItemCodes } from '../data/embeddings/clusters.ts';
import { askForHugePages } from '../runtime/huge-pages.ts';
import { paddingRow } from './embedding-table.ts';
import { assignRows, type Buckets, rowOfText } from './vocabulary.ts';

/** The part of a dataset that rankers look at. */
export type RankerData = Pick<Dataset, 'catalogue' | 'users' | 'pageViews' | 'exposures'>;

/**
 * How the lookups of an exposure are laid out: user and context, candidate, history, and then what photos add:
 * candidate, history. Photos come last, in the lookups as in the table, so that a ranker without them can go on
 * with them.
 */
export interface FieldLayout {
  /** S: the user and every context column. */
  readonly situationFields: number;
  /** G: the item and every category. Candidate and history share the embeddings. */
  readonly itemFields: number;
  /** V */
  readonly visualFields: number;
  /** H */
  readonly historyLength: number;
}

export function lookupsOf({ situationFields, itemFields, visualFields, historyLength }: FieldLayout): number {
  return situationFields + (itemFields + visualFields) * (1 + historyLength);
}

/** The exposures of a split, in the order of the dataset. */
export function rowsOfSplit(data: RankerData, split: (typeof splits)[number]): Int32Array {
  const wanted = splits.indexOf(split);
  const { start, split: splitOf } = data.pageViews;
  const lengthOf = (view: number) => (splitOf[view] === wanted ? start[view + 1]! - start[view]! : 0);
  const rows = new Int32Array(splitOf.reduce((sum, _, view) => sum + lengthOf(view), 0));
  let next = 0;
  for (let view = 0; view < splitOf.length; view++) {
    if (splitOf[view] !== wanted) continue;
    for (let row = start[view]!; row < start[view + 1]!; row++) rows[next++] = row;
  }
  return rows;
}

/** One field: a row of the table for each user, exposure or item, and the text that the row stands for. */
export interface Field {
  readonly name: string;
  readonly of: 'user' | 'exposure' | 'item';
  readonly rowOf: Int32Array;
  /** The row of every id that training did not show often enough; where ids are hashed, that of no id at all. */
  readonly unknownRow: number;
  /** The rows that ids have by their hash; null where frequent ids have rows of their own. */
  readonly buckets: Buckets | null;
}

export interface FieldOptions {
  /** Whether users and items have rows of their own, or share the unknown one. */
  readonly ids: 'own' | 'none';
  /** Training exposures that give an id a row of its own. */
  readonly minimumCount: number;
  /** Rows of users, and of items, by the hash of their ids; null gives frequent ones rows of their own. */
  readonly idBuckets: number | null;
}

/** Rows that an embedding table needs at most, without what photos add; how often ids occur is not looked at. */
export function mostTableRows(
  { users, catalogue, exposures }: Pick<RankerData, 'users' | 'catalogue' | 'exposures'>,
  { ids, idBuckets }: Pick<FieldOptions, 'ids' | 'idBuckets'>,
): number {
  const ofIds = (all: readonly string[]) => (ids === 'none' ? 0 : (idBuckets ?? all.length));
  const named = [...exposures.context, ...catalogue.categories].map(({ values }) => values.length);
  const counts = [ofIds(users), ofIds(catalogue.ids), ...named];
  // Padding, and a row of the unknown for each field.
  return 1 + counts.reduce((sum, count) => sum + count + 1, 0);
}

export class Fields {
  readonly layout: FieldLayout;
  /** Rows that the embedding table needs. */
  readonly tableRows: number;
  readonly user: Field;
  readonly context: readonly Field[];
  /** The item, then its categories. */
  readonly item: readonly Field[];
  /** Codes of items by their photos; an item without a photo has the padding row, which is zero. */
  readonly visual: readonly Field[];
  readonly #data: RankerData;
  readonly #pageViewOf: Int32Array;
  /** What the lookups of an item are, and then what its photo adds. */
  readonly #ofItems: readonly ItemRows[];

  /** Vocabularies are those of the training exposures; whatever is new later is "unknown", unless ids are hashed. */
  constructor(
    data: RankerData,
    trainingRows: Int32Array,
    { ids: wanted, minimumCount, idBuckets }: FieldOptions,
    codes: readonly ItemCodes[] = [],
  ) {
    const { catalogue, users, pageViews, exposures } = data;
    const pageViewOf = pageViewOfRows(data);
    let end = paddingRow + 1;
    const assign = (codeOfRow: (row: number) => number, count: number) => {
      const unknownRow = end;
      const assigned = assignRows(trainingRows.map(codeOfRow), count, minimumCount, unknownRow);
      end = assigned.end;
      return { rowOf: assigned.rowOf, unknownRow, buckets: null };
    };
    const assignIds = (ids: readonly string[], codeOfRow: (row: number) => number) => {
      if (wanted === 'none') {
        const unknownRow = end++;
        return { rowOf: new Int32Array(ids.length).fill(unknownRow), unknownRow, buckets: null };
      }
      if (idBuckets === null) return assign(codeOfRow, ids.length);
      const [unknownRow, buckets] = [end, { first: end + 1, count: idBuckets }];
      end += 1 + idBuckets;
      return { rowOf: Int32Array.from(ids, (id) => rowOfText(id, buckets)), unknownRow, buckets };
    };
    this.user = {
      name: 'user',
      of: 'user',
      ...assignIds(users, (row) => pageViews.user[pageViewOf[row]!]!),
    };
    this.context = exposures.context.map(({ name, codes, values }): Field => {
      const { rowOf, ...rest } = assign((row) => codes[row]!, values.length);
      return { name, of: 'exposure', rowOf: codes.map((code) => rowOf[code]!), ...rest };
    });
    const byItem = assignIds(catalogue.ids, (row) => exposures.item[row]!);
    const byCategory = catalogue.categories.map(({ name, codes, values }): Field => {
      const { rowOf, ...rest } = assign((row) => codes[exposures.item[row]!]!, values.length);
      return { name, of: 'item', rowOf: codes.map((code) => rowOf[code]!), ...rest };
    });
    this.item = [{ name: 'item', of: 'item', ...byItem }, ...byCategory];
    this.visual = codes.map(({ name, count, codes }): Field => {
      const rowOf = codes.map((code) => (code === NONE ? paddingRow : end + code));
      end += count;
      return { name, of: 'item', rowOf, unknownRow: paddingRow, buckets: null };
    });
    this.#ofItems = [this.item, this.visual].map((fields) => sideBySide(fields, catalogue.ids.length));
    this.#data = data;
    this.#pageViewOf = pageViewOf;
    this.tableRows = end;
    this.layout = {
      situationFields: 1 + this.context.length,
      itemFields: this.item.length,
      visualFields: this.visual.length,
      historyLength: pageViews.historyLength,
    };
  }

  /**
   * Writes the table rows of these exposures and which history places are filled.
   * @param lookups (n, L)
   * @param historyMask 1 for a history item, 0 for padding. (n, H)
   */
  fill(rows: Int32Array, lookups: Int32Array, historyMask: Float32Array): void {
    const { historyLength } = this.layout;
    const length = lookupsOf(this.layout);
    const [views, { item }] = [this.#data.pageViews, this.#data.exposures];
    const [userOf, clickedOf, rowOfUser, pageViewOf] = [
      views.user,
      views.history,
      this.user.rowOf,
      this.#pageViewOf,
    ];
    const context = this.context.map(({ rowOf }) => rowOf);
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      const pageView = pageViewOf[row]!;
      let at = index * length;
      lookups[at++] = rowOfUser[userOf[pageView]!]!;
      for (let field = 0; field < context.length; field++) lookups[at++] = context[field]![row]!;
      const history = pageView * historyLength;
      for (let place = 0, to = index * historyLength; place < historyLength; place++, to++) {
        historyMask[to] = clickedOf[history + place] === NONE ? 0 : 1;
      }
      for (const { width, rowsOf } of this.#ofItems) {
        for (let from = item[row]! * width, end = from + width; from < end; from++)
          lookups[at++] = rowsOf[from]!;
        for (let place = 0; place < historyLength; place++) {
          const clicked = clickedOf[history + place]!;
          if (clicked === NONE) {
            for (let field = 0; field < width; field++) lookups[at++] = paddingRow;
          } else {
            for (let from = clicked * width, end = from + width; from < end; from++)
              lookups[at++] = rowsOf[from]!;
          }
        }
      }
    }
  }
}

/** The rows of all fields of an item side by side: an item of a history is fetched from memory once. */
interface ItemRows {
  /** G, or V */
  readonly width: number;
  /** (N, width) */
  readonly rowsOf: Int32Array;
}

function sideBySide(fields: readonly Field[], items: number): ItemRows {
  const width = fields.length;
  const rowsOf = new Int32Array(items * width);
  askForHugePages(rowsOf);
  for (const [place, { rowOf }] of fields.entries()) {
    for (let item = 0; item < items; item++) rowsOf[item * width + place] = rowOf[item]!;
  }
  return { width, rowsOf };
}
