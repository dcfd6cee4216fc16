/** Raw exposures to the inputs of an exported ranker's graph. */
import { z } from 'zod';
import { CourierError } from '../errors.ts';
import type { NamedValues } from '../runtime/protocol.ts';
import { standardize } from './dense-columns.ts';
import { paddingRow } from './embedding-table.ts';
import { fieldNames, type RankerDescription } from './export-format.ts';
import type { RawExposure, RawItem } from './exposure.ts';
import { lookupsOf } from './fields.ts';
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

/** Places of a history that may be sent. */
const historyLimit = 10_000;

/** 1 + cosine, but for rounding. */
const largestNearness = 2.001;

const textLimit = 10_000;
const id = z.string().max(textLimit);

export class ExposureEncoder {
  readonly #about: RankerDescription;
  readonly #tables: ServingTables;
  readonly #schema: z.ZodType<readonly RawExposure[]>;
  readonly #situation: readonly IdRows[];
  readonly #item: readonly IdRows[];
  readonly #visual: readonly KnownRows[];
  readonly #gates: ReadonlyMap<string, number>;

  constructor(about: RankerDescription, tables: ServingTables) {
    this.#about = about;
    this.#tables = tables;
    this.#schema = schemaOf(about);
    const { situation, item, visual } = fieldNames(about.layout);
    const rowsOf = (names: readonly string[]) => names.map((name) => tables.fields.get(name)!);
    [this.#situation, this.#item] = [rowsOf(situation), rowsOf(item)];
    this.#visual = rowsOf(visual).map(requireKnown);
    this.#gates = new Map(about.gate?.values.slice(1).map((value, index) => [value, 1 + index]));
  }

  /** @throws CourierError VALUE_INVALID naming the first value that is missing, unknown by name, or not finite */
  check(exposures: readonly RawExposure[]): void {
    const parsed = this.#schema.safeParse(exposures);
    if (parsed.success) return;
    const [issue] = parsed.error.issues;
    throw invalid(`${issue?.path.join('.')}: ${issue?.message}`);
  }

  /**
   * The inputs of the graph for exposures that were checked.
   * @throws CourierError VALUE_INVALID for a code that the ranker does not have
   */
  encode(exposures: readonly RawExposure[]): NamedValues {
    const { dense, gate, layout } = this.#about;
    const visualWidth = this.#about.visual.groups.flat().length;
    const historyMask = new Float32Array(exposures.length * layout.historyLength);
    for (const [index, { history }] of exposures.entries()) {
      const from = index * layout.historyLength;
      historyMask.fill(1, from, from + Math.min(history.length, layout.historyLength));
    }
    return {
      embedded: this.#embed(exposures),
      historyMask,
      ...(dense.length === 0 ? {} : { dense: this.#dense(exposures) }),
      ...(visualWidth === 0 ? {} : { visual: this.#visualDense(exposures) }),
      ...(this.#about.visual.nearness ? { nearness: this.#nearness(exposures) } : {}),
      ...(gate === null ? {} : { category: Int32Array.from(exposures, (one) => this.#gateOf(one)) }),
    };
  }

  /** (B, L, E) */
  #embed(exposures: readonly RawExposure[]): Float32Array {
    const { dimension, layout } = this.#about;
    const { embeddings } = this.#tables;
    const lookups = lookupsOf({
      situationFields: this.#situation.length,
      itemFields: this.#item.length,
      visualFields: this.#visual.length,
      historyLength: layout.historyLength,
    });
    const embedded = new Float32Array(exposures.length * lookups * dimension);
    let at = 0;
    for (const exposure of exposures) {
      for (const row of this.#rowsOf(exposure)) {
        for (let place = 0; place < dimension; place++) embedded[at++] = embeddings[row * dimension + place]!;
      }
    }
    if (at !== embedded.length) throw new Error(`${at} values embedded, not ${embedded.length}`);
    return embedded;
  }

  /** The table rows of an exposure, in the order of the layout. (L) */
  #rowsOf({ user, context, candidate, history }: RawExposure): readonly number[] {
    const { layout } = this.#about;
    const items = [candidate, ...history.slice(0, layout.historyLength)];
    const empty = layout.historyLength + 1 - items.length;
    const padding = (fields: readonly IdRows[]) => Array<number>(empty * fields.length).fill(paddingRow);
    return [
      ...rowsOfIds(this.#situation, [user, ...layout.context.map((name) => textOf(context, name))]),
      ...items.flatMap((item) =>
        rowsOfIds(this.#item, [item.id, ...layout.categories.map((name) => textOf(item.categories, name))]),
      ),
      ...padding(this.#item),
      ...items.flatMap((item) => this.#codeRows(item)),
      ...padding(this.#visual),
    ];
  }

  #codeRows(item: RawItem): readonly number[] {
    const { codes: names } = this.#about.layout;
    const stored = item.codes === undefined ? this.#tables.codesOf(item.id) : null;
    return this.#visual.map((field, index) => {
      const name = names[index]!;
      const code = (stored === null ? item.codes?.[name] : stored[index]) ?? null;
      if (code !== null && !field.known.has(`${code}`))
        throw invalid(`item ${item.id} has the ${name} ${code}, and the ranker knows ${field.known.size}`);
      return rowOfId(field, code === null ? null : `${code}`);
    });
  }

  #gateOf({ candidate }: RawExposure): number {
    const name = this.#about.gate?.category ?? null;
    const text = name === null ? null : textOf(candidate.categories, name);
    return text === null ? 0 : (this.#gates.get(text) ?? 0);
  }

  /** (B, N) */
  #dense(exposures: readonly RawExposure[]): Float32Array {
    const columns = this.#about.dense;
    const raw = exposures.flatMap(({ numeric }) => columns.map(({ name }) => numeric[name]!));
    return standardized(raw, exposures.length, { groups: [columns.length], zeroIsAbsent: false }, columns);
  }

  /** (B, W) */
  #visualDense(exposures: readonly RawExposure[]): Float32Array {
    const { groups, zeroIsAbsent } = this.#about.visual;
    const raw = exposures.flatMap(({ visual }) => visual);
    const widths = groups.map(({ length }) => length);
    return standardized(raw, exposures.length, { groups: widths, zeroIsAbsent }, groups.flat());
  }

  /** (B, H) */
  #nearness(exposures: readonly RawExposure[]): Float32Array {
    const { historyLength } = this.#about.layout;
    const values = new Float32Array(exposures.length * historyLength);
    for (const [index, { nearness = [] }] of exposures.entries())
      values.set(nearness.slice(0, historyLength), index * historyLength);
    return values;
  }
}

function standardized(
  raw: readonly number[],
  count: number,
  columns: Parameters<typeof standardize>[2],
  standards: readonly { readonly mean: number; readonly scale: number }[],
): Float32Array {
  const values = Float32Array.from(raw);
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
  return fields.map((field, index) => rowOfId(field, ids[index]!));
}

/** A text as ingestion takes it: without blanks around it, and missing where nothing else is there. */
function textOf(texts: Readonly<Record<string, string | null>>, name: string): string | null {
  const trimmed = texts[name]?.trim() ?? '';
  return trimmed === '' ? null : trimmed;
}

/** Every column by name: one that is left out or misspelt would otherwise go as unknown. */
function schemaOf({ layout, dense, visual }: RankerDescription): z.ZodType<readonly RawExposure[]> {
  const { context, categories, codes } = layout;
  const number = z.number().refine((value) => Number.isFinite(Math.fround(value)), {
    error: 'is no 32-bit float',
  });
  const item = z.strictObject({
    id,
    categories: named(categories, id.nullable()),
    codes: named(codes, z.int().nullable()).optional(),
  });
  const exposure = z.strictObject({
    user: id,
    context: named(context, id.nullable()),
    candidate: item,
    history: z.array(item).max(historyLimit),
    numeric: named(
      dense.map(({ name }) => name),
      number,
    ),
    visual: z.array(number).length(visual.groups.flat().length),
    nearness: visual.nearness
      ? z.array(number.min(0).max(largestNearness)).max(historyLimit)
      : z.undefined().optional(),
  });
  const told = exposure.refine(
    ({ history, nearness }) => nearness === undefined || nearness.length === history.length,
    {
      error: 'has another number of values than the history has items',
      path: ['nearness'],
    },
  );
  return z.array(told);
}

function named<Value extends z.ZodType>(names: readonly string[], value: Value) {
  return z.strictObject(Object.fromEntries(names.map((name) => [name, value])));
}

function invalid(problem: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `The exposures cannot be scored: ${problem}.`,
    'Send what the ranker.json of the exported ranker names, in its words.',
  );
}
