/**
 * The lookups of a batch part by part, each part an input of its own: as one input they would be cut apart at every step, and
 * their gradients joined, which ONNX Runtime does with one thread.
 */
import { split } from '../graph/operators/index.ts';
import { type FloatTensor, input } from '../graph/tensor.ts';
import { type FieldLayout, lookupsOf } from './fields.ts';

/** Names of the parts, in the order of the lookups of an exposure. */
const partNames = ['situation', 'candidate', 'history', 'candidateCodes', 'historyCodes'] as const;
type PartName = (typeof partNames)[number];

/** Embedded lookups of a batch. (B, w, E) each */
export type EmbeddedParts = Readonly<Partial<Record<PartName, FloatTensor>>>;

/** Lookups w that an exposure has of each part; of those that there are. */
function widthsOf(layout: FieldLayout): readonly (readonly [PartName, number])[] {
  const { situationFields, itemFields, visualFields, historyLength } = layout;
  const items = [itemFields, historyLength * itemFields, visualFields, historyLength * visualFields];
  const widths = [situationFields, ...items];
  return partNames.map((name, part) => [name, widths[part]!] as const).filter(([, width]) => width > 0);
}

/** Each part as an input. */
export function separateParts(layout: FieldLayout, batchSize: number, dimension: number): EmbeddedParts {
  return Object.fromEntries(
    widthsOf(layout).map(([name, width]) => [
      name,
      input(`embedded.${name}`, 'float32', [batchSize, width, dimension]),
    ]),
  );
}

/** The same from one input `embedded`, (B, L, E), as files that leave the house have it. */
export function joinedParts(layout: FieldLayout, batchSize: number, dimension: number): EmbeddedParts {
  const embedded = input('embedded', 'float32', [batchSize, lookupsOf(layout), dimension]);
  const widths = widthsOf(layout);
  const parts = split(
    embedded,
    widths.map(([, width]) => width),
    1,
  );
  return Object.fromEntries(widths.map(([name], part) => [name, parts[part]!]));
}

/** Puts lookups in the order of the parts, and names the parts of what was made of them. */
export class PartOrder {
  readonly #widths: readonly (readonly [PartName, number])[];
  readonly #length: number;

  constructor(layout: FieldLayout) {
    this.#widths = widthsOf(layout);
    this.#length = lookupsOf(layout);
  }

  /** (B, L) → (B · L), the lookups of all exposures of the first part, then those of the next. */
  order(lookups: Int32Array): Int32Array {
    const ordered = new Int32Array(lookups.length);
    let [to, first] = [0, 0];
    for (const [, width] of this.#widths) {
      for (let from = first; from < lookups.length; from += this.#length) {
        for (let place = 0; place < width; place++) ordered[to++] = lookups[from + place]!;
      }
      first += width;
    }
    return ordered;
  }

  /** By the name of an input `embedded.…`, behind a prefix: (B · L, E) → (B, w, E) each, in the same memory. */
  named(values: Float32Array, prefix = ''): Readonly<Record<string, Float32Array>> {
    const perLookup = values.length / this.#length;
    let end = 0;
    return Object.fromEntries(
      this.#widths.map(([name, width]) => {
        const start = end;
        end += width * perLookup;
        return [`${prefix}embedded.${name}`, values.subarray(start, end)];
      }),
    );
  }
}
