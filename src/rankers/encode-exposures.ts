/** Raw exposures to the columns that an exported ranker's graph takes. */
import { z } from 'zod';
import { CourierError } from '../errors.ts';
import type { RankerDescription } from './export-format.ts';
import type { RawExposure, RawItem } from './exposure.ts';
import type { ColumnEncoder, ExposureColumns, ServingTables } from './exposure-columns.ts';

/** Places of a history that may be sent. */
const historyLimit = 10_000;

/** 1 + cosine, but for rounding. */
const largestNearness = 2.001;

const textLimit = 10_000;
const id = z.string().max(textLimit);

export class ExposureEncoder {
  readonly #about: RankerDescription;
  readonly #tables: Pick<ServingTables, 'codesOf'>;
  readonly #columns: ColumnEncoder;
  readonly #schema: z.ZodType<readonly RawExposure[]>;

  constructor(about: RankerDescription, tables: Pick<ServingTables, 'codesOf'>, columns: ColumnEncoder) {
    this.#about = about;
    this.#tables = tables;
    this.#columns = columns;
    this.#schema = schemaOf(about);
  }

  /** @throws CourierError VALUE_INVALID naming the first value that is missing, unknown by name, or not finite */
  check(exposures: readonly RawExposure[]): void {
    const parsed = this.#schema.safeParse(exposures);
    if (parsed.success) return;
    const [issue] = parsed.error.issues;
    throw invalid(`${issue?.path.join('.')}: ${issue?.message}`);
  }

  /**
   * Exposures that were checked as columns.
   * @throws CourierError VALUE_INVALID for a code that the ranker does not have
   */
  encode(exposures: readonly RawExposure[]): ExposureColumns {
    const { dense, layout, visual } = this.#about;
    const { historyLength } = layout;
    const lookups = new Int32Array(exposures.length * this.#columns.lookups);
    const historyMask = new Float32Array(exposures.length * historyLength);
    const nearness = new Float32Array(visual.nearness ? historyMask.length : 0);
    for (const [index, exposure] of exposures.entries()) {
      const { user, context, candidate, history } = exposure;
      const items = [candidate, ...history.slice(0, historyLength)];
      const situation = this.#columns.situationRows(
        user,
        layout.context.map((name) => textOf(context, name)),
      );
      this.#columns.write(
        lookups,
        index * this.#columns.lookups,
        situation,
        items.map((item) => this.#itemRows(item)),
        items.map((item) => this.#codeRows(item)),
      );
      historyMask.fill(1, index * historyLength, index * historyLength + items.length - 1);
      if (visual.nearness)
        nearness.set((exposure.nearness ?? []).slice(0, historyLength), index * historyLength);
    }
    return {
      count: exposures.length,
      lookups,
      historyMask,
      dense: Float32Array.from(exposures.flatMap(({ numeric }) => dense.map(({ name }) => numeric[name]!))),
      visual: Float32Array.from(exposures.flatMap((exposure) => exposure.visual)),
      nearness,
      category: Int32Array.from(exposures, (exposure) => this.#gateOf(exposure)),
    };
  }

  #itemRows({ id, categories }: RawItem): readonly number[] {
    return this.#columns.itemRows(
      id,
      this.#about.layout.categories.map((name) => textOf(categories, name)),
    );
  }

  #codeRows({ id, codes }: RawItem): readonly number[] {
    const { codes: names } = this.#about.layout;
    const own = codes === undefined ? this.#tables.codesOf(id) : names.map((name) => codes[name] ?? null);
    const rows = this.#columns.codeRows(own);
    if (rows !== null) return rows;
    const text = names.map((name, index) => `${name} ${own[index]}`).join(', ');
    throw invalid(`item ${id} has the codes ${text}, and the ranker does not know them all`);
  }

  #gateOf({ candidate }: RawExposure): number {
    const name = this.#about.gate?.category ?? null;
    return this.#columns.gateOf(name === null ? null : textOf(candidate.categories, name));
  }
}

/** A text as ingestion takes it: without blanks around it, and missing where nothing else is there. */
export function textOf(texts: Readonly<Record<string, string | null>>, name: string): string | null {
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
