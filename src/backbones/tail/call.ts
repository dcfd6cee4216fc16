/** One node of a graph that is read into our own tensors: its inputs and attributes, as its rule asks for them. */
import type { AttributeProto, NodeProto } from '../../graph/onnx-schema.ts';
import { constant, type FloatTensor, normalizeAxis } from '../../graph/tensor.ts';
import { BackboneFault } from '../errors.ts';
import { attributeOf } from '../nodes.ts';
import { nameInFile } from './cut.ts';
import { type Count, type TensorValue, tensorValue, type Value } from './value.ts';
import type { TailWeights } from './weights.ts';

/** What every node of a graph may use. */
export interface Surroundings {
  /** Photos of a batch: B. */
  readonly batch: number;
  /** What the first node is given. (B, …) */
  readonly cut: FloatTensor;
  readonly weights: TailWeights;
  /** Places along an axis that were taken apart before, by tensor and axis. */
  readonly parts: Map<FloatTensor, Map<number, readonly FloatTensor[]>>;
}

export class Call {
  readonly node: NodeProto;
  readonly around: Surroundings;
  readonly #inputs: readonly (Value | null)[];

  constructor(node: NodeProto, inputs: readonly (Value | null)[], around: Surroundings) {
    this.node = node;
    this.#inputs = inputs;
    this.around = around;
  }

  /** Why the node cannot be trained through. */
  refused(why: string): BackboneFault {
    return untrainable(this.node, why);
  }

  /** How many inputs there are, those left out at the end aside. */
  get count(): number {
    return this.#inputs.length;
  }

  has(at: number): boolean {
    return (this.#inputs[at] ?? null) !== null;
  }

  value(at: number): Value {
    const found = this.#inputs[at] ?? null;
    if (found === null) throw this.refused(`lacks its input ${at}`);
    return found;
  }

  tensor(at: number): TensorValue {
    const found = this.value(at);
    if (found.kind === 'tensor') return found;
    const { shape, floats, varies, grows } = found;
    if (shape === null || varies || grows.includes(true))
      throw this.refused('takes numbers that change with the number of photos');
    if (floats.length === 0) throw this.refused('takes an empty tensor');
    return tensorValue(constant('float32', floats, shape), null);
  }

  /** A list of integers, some of which may be so many for each photo. */
  counts(at: number): readonly Count[] {
    const found = this.value(at);
    if (found.kind === 'tensor') throw this.refused('takes integers that photos or weights decide');
    if (found.shape === null || found.varies)
      throw this.refused('takes integers that do not grow evenly with the number of photos');
    return found.integers.map((count, index) => ({ count, perPhoto: found.grows[index] === true }));
  }

  /** A list of integers that are the same for any number of photos. */
  integers(at: number): readonly number[] {
    return this.counts(at).map(({ count, perPhoto }) => {
      if (perPhoto) throw this.refused('takes integers that grow with the number of photos');
      return count;
    });
  }

  /** One number. */
  number(at: number): number {
    const { tensor } = this.tensor(at);
    const { source } = tensor;
    if (source.kind !== 'constant' || source.data.length !== 1)
      throw this.refused(`takes for its input ${at} what is no single number`);
    return source.data[0]!;
  }

  /** Axes counted from the front, which none may take twice. */
  axes(values: readonly number[], rank: number): readonly number[] {
    const axes = values.map((axis) => this.axis(axis, rank));
    if (new Set(axes).size !== axes.length) throw this.refused('names an axis twice');
    return axes;
  }

  axis(value: number, rank: number): number {
    if (!Number.isInteger(value) || value < -rank || value >= rank)
      throw this.refused(`names the axis ${value} of ${rank}`);
    return normalizeAxis(value, rank);
  }

  int(name: string, otherwise: number): number {
    const attribute = this.#attribute(name);
    return attribute === undefined ? otherwise : (attribute.i ?? 0);
  }

  ints(name: string): readonly number[] | undefined {
    return this.#attribute(name)?.ints;
  }

  float(name: string, otherwise: number): number {
    const attribute = this.#attribute(name);
    return attribute === undefined ? otherwise : (attribute.f ?? 0);
  }

  text(name: string, otherwise: string): string {
    const attribute = this.#attribute(name);
    return attribute === undefined ? otherwise : Buffer.from(attribute.s ?? []).toString();
  }

  #attribute(name: string): AttributeProto | undefined {
    return attributeOf(this.node, name);
  }
}

/** A node that stands in the way of training. */
export function untrainable(
  { opType, domain = '', name = '', output }: NodeProto,
  why: string,
): BackboneFault {
  const called = nameInFile(name) || nameInFile(output[0] ?? '');
  const operator = domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`;
  return new BackboneFault(
    `its node ${JSON.stringify(called)} (${operator}) cannot be trained through: it ${why}.`,
    'Choose a cut behind it in `fineTune.from`, or leave the network frozen.',
    'CONFIG_INVALID',
  );
}
