/** Exposures as columns of table rows and raw numbers, to the inputs of an exported ranker's graph. */
import type { NamedValues } from '../runtime/protocol.ts';
import { standardize } from './dense-columns.ts';
import { paddingRow } from './embedding-table.ts';
import { fieldNames, type RankerDescription } from './export-format.ts';
import { type FieldLayout, lookupsOf } from './fields.ts';
import { type IdRows, type KnownRows, rowOfId } from './id-rows.ts';

/** What an exported ranker looks up. */
export interface ServingTables {
  /** By the name of the field. */
  readonly fields: ReadonlyMap<string, IdRows>;
  /** (rows, E) */
  readonly embeddings: Float32Array;
  /** The codes that an item had when the ranker was exported, in the order of the layout; null without a photo. */
  codesOf(item: string): readonly (number | null)[];
}

/** Exposures as a graph needs them, before ids are embedded and numbers standardised: n of them. */
export interface ExposureColumns {
  readonly count: number;
  /** Rows of the embedding table, in the order of the layout. (n, L) */
  readonly lookups: Int32Array;
  /** 1 for a history item, 0 for padding. (n, H) */
  readonly historyMask: Float32Array;
  /** Base features in the order of the description. (n, N) */
  readonly dense: Float32Array;
  /** Dense values of the visual feature. (n, W) */
  readonly visual: Float32Array;
  /** How near the candidate is to each history place; empty for a ranker that does not take it. (n, H) */
  readonly nearness: Float32Array;
  /** Code of the gate. (n) */
  readonly category: Int32Array;
}

export class ColumnEncoder {
  readonly layout: FieldLayout;
  /** Lookups L of an exposure. */
  readonly lookups: number;
  readonly #about: RankerDescription;
  readonly #tables: ServingTables;
  readonly #situation: readonly IdRows[];
  readonly #item: readonly IdRows[];
  readonly #visual: readonly KnownRows[];
  readonly #gates: ReadonlyMap<string, number>;

  constructor(about: RankerDescription, tables: ServingTables) {
    this.#about = about;
    this.#tables = tables;
    const { situation, item, visual } = fieldNames(about.layout);
    const rowsOf = (names: readonly string[]) => names.map((name) => tables.fields.get(name)!);
    [this.#situation, this.#item] = [rowsOf(situation), rowsOf(item)];
    this.#visual = rowsOf(visual).map(requireKnown);
    this.#gates = new Map(about.gate?.values.slice(1).map((value, index) => [value, 1 + index]));
    this.layout = {
      situationFields: this.#situation.length,
      itemFields: this.#item.length,
      visualFields: this.#visual.length,
      historyLength: about.layout.historyLength,
    };
    this.lookups = lookupsOf(this.layout);
  }

  /** Rows of the user and of every context column, in the order of the layout. (S) */
  situationRows(user: string | null, context: readonly (string | null)[]): readonly number[] {
    return rowsOfIds(this.#situation, [user, ...context]);
  }

  /** Rows of an item and of its categories, in the order of the layout. (G) */
  itemRows(id: string, categories: readonly (string | null)[]): readonly number[] {
    return rowsOfIds(this.#item, [id, ...categories]);
  }

  /** Rows of the codes of an item's photo. (V) @returns null where the ranker does not have such a code */
  codeRows(codes: readonly (number | null)[]): readonly number[] | null {
    const known = this.#visual.every(
      (field, index) => codes[index] === null || field.known.has(`${codes[index]}`),
    );
    if (!known) return null;
    return this.#visual.map((field, index) =>
      rowOfId(field, codes[index] === null ? null : `${codes[index]}`),
    );
  }

  /** The gate that a text of the gate's category stands for; 0 for any other. */
  gateOf(category: string | null): number {
    return category === null ? 0 : (this.#gates.get(category) ?? 0);
  }

  /** Whether training showed an item often enough to know it by its id. */
  knowsItem(id: string): boolean {
    const [item] = this.#item;
    return item === undefined || item.kind === 'hashed' || item.known.has(id);
  }

  /**
   * Writes the lookups of one exposure.
   * @param items rows of the candidate and of each history item, newest first: H + 1 at most. (G) each
   * @param codes the same of their codes. (V) each
   * @param lookups where to write them, from `at` on. (L)
   */
  write(
    lookups: Int32Array,
    at: number,
    situation: readonly number[],
    items: readonly (readonly number[])[],
    codes: readonly (readonly number[])[],
  ): void {
    const { itemFields, visualFields, historyLength } = this.layout;
    lookups.fill(paddingRow, at, at + this.lookups);
    lookups.set(situation, at);
    let place = at + situation.length;
    for (const rows of items) {
      lookups.set(rows, place);
      place += itemFields;
    }
    place = at + situation.length + itemFields * (1 + historyLength);
    for (const rows of codes) {
      lookups.set(rows, place);
      place += visualFields;
    }
  }

  /** Writes another candidate into the lookups of an exposure, whose situation and history stay. */
  writeCandidate(lookups: Int32Array, at: number, item: readonly number[], codes: readonly number[]): void {
    const { situationFields, itemFields, historyLength } = this.layout;
    lookups.set(item, at + situationFields);
    lookups.set(codes, at + situationFields + itemFields * (1 + historyLength));
  }

  /** The inputs of the graph, of which `embedded` is the caller's to hand over. */
  feeds(columns: ExposureColumns): NamedValues & { readonly embedded: Float32Array } {
    const { dense, visual, gate } = this.#about;
    const width = visual.groups.flat().length;
    return {
      embedded: this.#embed(columns.lookups),
      historyMask: columns.historyMask,
      ...(dense.length === 0 ? {} : { dense: this.#dense(columns) }),
      ...(width === 0 ? {} : { visual: this.#visualDense(columns) }),
      ...(visual.nearness ? { nearness: columns.nearness } : {}),
      ...(gate === null ? {} : { category: columns.category }),
    };
  }

  /** (n, L) → (n, L, E) */
  #embed(lookups: Int32Array): Float32Array {
    const { dimension } = this.#about;
    const { embeddings } = this.#tables;
    const embedded = new Float32Array(lookups.length * dimension);
    for (let index = 0, at = 0; index < lookups.length; index++) {
      const from = lookups[index]! * dimension;
      for (let place = 0; place < dimension; place++) embedded[at++] = embeddings[from + place]!;
    }
    return embedded;
  }

  /** (n, N) */
  #dense({ dense, count }: ExposureColumns): Float32Array {
    const { dense: standards } = this.#about;
    return standardized(dense, count, { groups: [standards.length], zeroIsAbsent: false }, standards);
  }

  /** (n, W) */
  #visualDense({ visual, count }: ExposureColumns): Float32Array {
    const { groups, zeroIsAbsent } = this.#about.visual;
    const widths = groups.map(({ length }) => length);
    return standardized(visual, count, { groups: widths, zeroIsAbsent }, groups.flat());
  }
}

function standardized(
  raw: Float32Array,
  count: number,
  columns: Parameters<typeof standardize>[2],
  standards: readonly { readonly mean: number; readonly scale: number }[],
): Float32Array {
  const values = raw.slice();
  const mean = standards.map((column) => column.mean);
  standardize(values, count, columns, { mean, scale: standards.map(({ scale }) => scale) });
  return values;
}

/** Codes are numbers from 0 on; there is nothing to hash. */
function requireKnown(rows: IdRows): KnownRows {
  if (rows.kind === 'known') return rows;
  throw new Error('codes of photos are hashed');
}

function rowsOfIds(fields: readonly IdRows[], ids: readonly (string | null)[]): readonly number[] {
  return fields.map((field, index) => rowOfId(field, ids[index] ?? null));
}
