/** The catalogue of a service: what an export has, and what came, changed and went since. */
import { codesOf } from '../clustering/nearest-code.ts';
import { type Catalogue, type CategoricalColumn, NONE } from '../data/dataset.ts';
import type { Centres, ItemCodes } from '../data/embeddings/clusters.ts';
import { unitScale } from '../data/embeddings/unit-length.ts';
import { Indexer } from '../data/indexer.ts';
import { cosineOf, type EmbeddedItems } from '../features/item-embeddings.ts';
import { textOf } from '../rankers/encode-exposures.ts';
import type { ColumnEncoder } from '../rankers/exposure-columns.ts';

/** Items as an export has them. */
export interface StoredItems {
  /** (N) */
  readonly ids: readonly string[];
  readonly categories: readonly CategoricalColumn[];
  /** What the log knew of each item last, NaN where it knew nothing. (N) each */
  readonly numeric: readonly { readonly name: string; readonly values: Float64Array }[];
  /** SHA-256 of the pixels of each photo, null without one. (N) */
  readonly pictures: readonly (string | null)[];
}

/** What photos of items gave. */
export interface StoredEmbeddings {
  readonly dimension: number;
  /** Of length 1, or zero. (N, d) */
  readonly vectors: Float32Array;
  readonly codes: readonly ItemCodes[];
  /** Of each column of codes. */
  readonly centres: readonly Centres[];
}

/** What is told of an item that comes or changes. */
export interface ItemColumns {
  /** By the name of the column; what is left out is not known. */
  readonly categories: Readonly<Record<string, string | null>>;
  readonly numeric: Readonly<Record<string, number | null>>;
  /** null without a photo. */
  readonly picture: string | null;
  /** Of any length but 0; null without one. (d) */
  readonly embedding: Float32Array | null;
}

/** A category whose values and codes grow. */
class GrowingCategory implements CategoricalColumn {
  readonly name: string;
  readonly #values: Indexer;
  codes: Int32Array;

  constructor({ name, values, codes }: CategoricalColumn, capacity: number) {
    this.name = name;
    this.#values = new Indexer(values);
    this.codes = grown(Int32Array, codes, capacity);
  }

  get values(): readonly string[] {
    return this.#values.ids;
  }

  set(item: number, text: string | null): void {
    this.codes[item] = text === null ? 0 : this.#values.indexOf(text);
  }
}

export class LiveCatalogue implements Catalogue, EmbeddedItems {
  /** Stands for every item that is not in the catalogue. */
  readonly unknown: number;
  readonly categories: readonly GrowingCategory[];
  /** Of columns that come with the log. */
  readonly numeric: readonly { readonly name: string; values: Float64Array }[];
  readonly titles: readonly (string | null)[] = [];
  /** 0 where there are no embeddings. */
  readonly dimension: number;
  /** Items that share a number show one picture. */
  photo: Int32Array;
  vectors: Float32Array;
  present: Uint8Array;
  /** 1 for an item that is there. */
  #listed: Uint8Array;
  readonly #items: Indexer;
  readonly #pictures: Indexer;
  readonly #codes: { readonly name: string; readonly count: number; codes: Int32Array }[];
  readonly #centres: readonly Centres[];
  readonly #encoder: ColumnEncoder;
  /** Rows of the ranker's table, by item. */
  readonly #rows: (readonly number[] | undefined)[] = [];
  readonly #codeRows: (readonly number[] | undefined)[] = [];
  #listedCount: number;

  /** @param embeddings null where the export has none @throws Error where columns do not fit each other */
  constructor(stored: StoredItems, embeddings: StoredEmbeddings | null, encoder: ColumnEncoder) {
    const count = stored.ids.length;
    this.#items = new Indexer(stored.ids);
    if (this.#items.ids.length !== count) throw new Error('an item is there twice');
    this.unknown = this.#items.indexOf(unknownId);
    if (this.unknown !== count) throw new Error('an item has an id that none can have');
    const capacity = count + 64;
    this.dimension = embeddings?.dimension ?? 0;
    this.categories = stored.categories.map((column) => new GrowingCategory(column, capacity));
    this.numeric = stored.numeric.map(({ name, values }) => ({
      name,
      values: grown(Float64Array, values, capacity).fill(Number.NaN, count),
    }));
    this.#pictures = new Indexer();
    this.photo = new Int32Array(capacity).fill(NONE);
    for (const [item, picture] of stored.pictures.entries())
      if (picture !== null) this.photo[item] = this.#pictures.indexOf(picture);
    this.vectors = grown(Float32Array, embeddings?.vectors ?? new Float32Array(), capacity * this.dimension);
    this.present = new Uint8Array(capacity);
    for (let item = 0; item < count && this.dimension > 0; item++)
      this.present[item] = unitScale(stored.ids[item]!, this.vectorOf(item)) === 0 ? 0 : 1;
    this.#codes = (embeddings?.codes ?? []).map(({ name, count: codes, codes: values }) => ({
      name,
      count: codes,
      codes: grown(Int32Array, values, capacity).fill(NONE, count),
    }));
    this.#centres = embeddings?.centres ?? [];
    this.#encoder = encoder;
    this.#listed = new Uint8Array(capacity).fill(1, 0, count);
    this.#listedCount = count;
  }

  get ids(): readonly string[] {
    return this.#items.ids;
  }

  /** Items that are there. */
  get size(): number {
    return this.#listedCount;
  }

  get codes(): readonly ItemCodes[] {
    return this.#codes;
  }

  cosine(one: number, other: number): number {
    return cosineOf(this, one, other);
  }

  /** The embedding of an item, to be looked at. (d) */
  vectorOf(item: number): Float32Array {
    return this.vectors.subarray(item * this.dimension, (item + 1) * this.dimension);
  }

  /** The number of an item that is there, `unknown` of any other. */
  find(id: string): number {
    const item = this.#items.find(id);
    return item === undefined || this.#listed[item] === 0 ? this.unknown : item;
  }

  /** The number of an item that events may tell of before the catalogue does. */
  numberOf(id: string): number {
    const item = this.#items.indexOf(id);
    if (item >= this.photo.length) this.#grow(2 * item);
    return item;
  }

  /** Puts an item into the catalogue, or changes it. @returns its number */
  put(id: string, { categories, numeric, picture, embedding }: ItemColumns): number {
    const item = this.numberOf(id);
    if (this.#listed[item] === 0) this.#listedCount++;
    this.#listed[item] = 1;
    for (const column of this.categories) column.set(item, textOf(categories, column.name));
    for (const { name, values } of this.numeric) values[item] = numeric[name] ?? Number.NaN;
    this.photo[item] = picture === null ? NONE : this.#pictures.indexOf(picture);
    this.#setEmbedding(item, embedding);
    this.#forgetRows(item);
    return item;
  }

  /** @returns its number, null where it is not there */
  remove(id: string): number | null {
    const item = this.#items.find(id);
    if (item === undefined || this.#listed[item] === 0) return null;
    this.#listed[item] = 0;
    this.#listedCount--;
    this.photo[item] = NONE;
    this.#setEmbedding(item, null);
    this.#forgetRows(item);
    return item;
  }

  /** Rows of the ranker's table for an item and its categories. (G) @param id by which even an unknown item may have a row */
  rowsOf(item: number, id: string): readonly number[] {
    if (item === this.unknown) return this.#encoder.itemRows(id, []);
    const known = this.#rows[item];
    if (known !== undefined) return known;
    const texts = this.categories.map(({ codes, values }) => {
      const code = codes[item]!;
      return code === 0 ? null : values[code]!;
    });
    const rows = this.#encoder.itemRows(id, texts);
    this.#rows[item] = rows;
    return rows;
  }

  /** Rows of the ranker's table for the codes of an item's photo. (V) */
  codeRowsOf(item: number): readonly number[] {
    const known = this.#codeRows[item];
    if (known !== undefined) return known;
    const codes = this.#codes.map((column) => (column.codes[item]! === NONE ? null : column.codes[item]!));
    const rows = this.#encoder.codeRows(codes);
    if (rows === null) throw new Error(`the ranker does not have the codes of item ${this.ids[item]}`);
    this.#codeRows[item] = rows;
    return rows;
  }

  /** The text of an item in a category; null for the missing one. */
  textOf(item: number, category: string): string | null {
    const column = this.categories.find(({ name }) => name === category);
    const code = column?.codes[item] ?? 0;
    return code === 0 ? null : (column?.values[code] ?? null);
  }

  #setEmbedding(item: number, embedding: Float32Array | null): void {
    const vector = this.vectorOf(item);
    const scale = embedding === null ? 0 : unitScale(this.ids[item]!, embedding);
    vector.fill(0);
    if (embedding !== null && scale !== 0)
      vector.set(scale === 1 ? embedding : embedding.map((value) => scale * value));
    this.present[item] = scale === 0 ? 0 : 1;
    const codes = this.present[item] === 1 ? codesOf(vector, this.#centres) : null;
    for (const [place, column] of this.#codes.entries()) column.codes[item] = codes?.[place] ?? NONE;
  }

  #forgetRows(item: number): void {
    this.#rows[item] = undefined;
    this.#codeRows[item] = undefined;
  }

  #grow(capacity: number): void {
    const before = this.photo.length;
    this.photo = grown(Int32Array, this.photo, capacity).fill(NONE, before);
    this.present = grown(Uint8Array, this.present, capacity);
    this.#listed = grown(Uint8Array, this.#listed, capacity);
    this.vectors = grown(Float32Array, this.vectors, capacity * this.dimension);
    for (const column of this.categories) column.codes = grown(Int32Array, column.codes, capacity);
    for (const column of this.numeric)
      column.values = grown(Float64Array, column.values, capacity).fill(Number.NaN, before);
    for (const column of this.#codes)
      column.codes = grown(Int32Array, column.codes, capacity).fill(NONE, before);
  }
}

/** No id that ingestion takes: ids have no blanks around them. */
const unknownId = ' ';

function grown<Values extends { set(values: Values): void }>(
  Memory: new (length: number) => Values,
  values: Values,
  capacity: number,
): Values {
  const larger = new Memory(capacity);
  larger.set(values);
  return larger;
}
