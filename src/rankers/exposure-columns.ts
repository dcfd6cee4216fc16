/** Exposures as columns of table rows and raw numbers, to the inputs of an exported ranker's graph. */
import type { NamedValues } from '../runtime/protocol.ts';
import { standardize } from './dense-columns.ts';
import { paddingRow } from './embedding-table.ts';
import { fieldNames, type RankerDescription } from './export-format.ts';
import type { FeedMemory } from './feed-memory.ts';
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

  /**
   * The inputs of the graph for the exposures of all parts, one after the other.
   * @param memory where they are written: they are good until it is used again
   */
  feeds(parts: readonly ExposureColumns[], memory: FeedMemory): NamedValues {
    const { dense, visual, gate, dimension } = this.#about;
    const { historyLength } = this.layout;
    const count = countOf(parts);
    const width = visual.groups.flat().length;
    const floats = (name: 'historyMask' | 'nearness' | 'dense' | 'visual', columns: number) =>
      joined(
        parts.map((part) => part[name]),
        memory.floats(name, count * columns),
      );
    return {
      embedded: this.#embed(parts, memory.floats('embedded', count * this.lookups * dimension)),
      historyMask: floats('historyMask', historyLength),
      ...(dense.length === 0 ? {} : { dense: this.#standardDense(floats('dense', dense.length), count) }),
      ...(width === 0 ? {} : { visual: this.#standardVisual(floats('visual', width), count) }),
      ...(visual.nearness ? { nearness: floats('nearness', historyLength) } : {}),
      ...(gate === null
        ? {}
        : {
            category: joined(
              parts.map(({ category }) => category),
              memory.integers('category', count),
            ),
          }),
    };
  }

  /** Rows of the table, in the order of the lookups. @param embedded (n, L, E) */
  #embed(parts: readonly ExposureColumns[], embedded: Float32Array): Float32Array {
    const { dimension } = this.#about;
    const { embeddings } = this.#tables;
    let at = 0;
    for (const { lookups } of parts) {
      for (let index = 0; index < lookups.length; index++) {
        const from = lookups[index]! * dimension;
        for (let place = 0; place < dimension; place++) embedded[at++] = embeddings[from + place]!;
      }
    }
    return embedded;
  }

  /** In place. (n, N) */
  #standardDense(values: Float32Array, count: number): Float32Array {
    const { dense } = this.#about;
    standardize(values, count, { groups: [dense.length], zeroIsAbsent: false }, standardsOf(dense));
    return values;
  }

  /** In place. (n, W) */
  #standardVisual(values: Float32Array, count: number): Float32Array {
    const { groups, zeroIsAbsent } = this.#about.visual;
    const widths = groups.map(({ length }) => length);
    standardize(values, count, { groups: widths, zeroIsAbsent }, standardsOf(groups.flat()));
    return values;
  }
}

/** Exposures of all parts. */
export function countOf(parts: readonly ExposureColumns[]): number {
  return parts.reduce((sum, { count }) => sum + count, 0);
}

function standardsOf(columns: readonly { readonly mean: number; readonly scale: number }[]) {
  return { mean: columns.map(({ mean }) => mean), scale: columns.map(({ scale }) => scale) };
}

/** Values of several parts, one after the other. */
function joined<Values extends { set(values: Values, offset: number): void; readonly length: number }>(
  parts: readonly Values[],
  whole: Values,
): Values {
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Codes are numbers from 0 on; there is nothing to hash. */
function requireKnown(rows: IdRows): KnownRows {
  if (rows.kind === 'known') return rows;
  throw new Error('codes of photos are hashed');
}

function rowsOfIds(fields: readonly IdRows[], ids: readonly (string | null)[]): readonly number[] {
  return fields.map((field, index) => rowOfId(field, ids[index] ?? null));
}
