/** Tensors: typed, with static shapes. A tensor knows what made it; a graph is what its outputs reach. */
import type { DataType } from '../runtime/model.ts';

export type Shape = readonly number[];

export interface DataArrays {
  readonly float32: Float32Array;
  readonly int32: Int32Array;
  readonly int64: BigInt64Array;
  readonly uint8: Uint8Array;
  readonly bool: Uint8Array;
}

/** The first values of a parameter, in row-major order. */
export type Initializer = (shape: Shape, random: { normal(): number }) => Float32Array;

export type Source<T extends DataType> =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'parameter'; readonly name: string; readonly initialize: Initializer }
  | { readonly kind: 'constant'; readonly data: DataArrays[T] }
  | { readonly kind: 'output'; readonly node: Node; readonly index: number };

export interface Tensor<T extends DataType = DataType> {
  readonly type: T;
  readonly shape: Shape;
  readonly source: Source<T>;
}

export type FloatTensor = Tensor<'float32'>;

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'graph'; readonly value: Subgraph };

/** A graph inside an operator, such as the body of a loop. It may use tensors of the graph around it. */
export interface Subgraph {
  readonly inputs: readonly Tensor[];
  /** The nodes that belong to it, in order. */
  readonly nodes: readonly Node[];
  readonly outputs: readonly Tensor[];
  /** Inputs that stand for tensors which another subgraph computed. */
  readonly bindings: ReadonlyMap<Tensor, Tensor>;
}

/**
 * Gives the gradient for every input, then every captured tensor, from the gradients for every output
 * (undefined where an output does not lead to the loss). null: no gradient, as for an index. That of an input which
 * was broadcast may be as large as the output: whoever applies the rule sums it to fit.
 */
export type GradientRule = (outputs: readonly (FloatTensor | undefined)[]) => readonly (FloatTensor | null)[];

/** One ONNX operator applied. */
export interface Node {
  readonly type: string;
  readonly domain: '' | 'com.microsoft';
  readonly inputs: readonly Tensor[];
  /** Tensors that its subgraph uses without taking them as inputs. */
  readonly captured: readonly Tensor[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly outputs: readonly Tensor[];
  /** null: the operator has no derivative, and meeting it on the way to a parameter is an error. */
  readonly gradient: GradientRule | null;
}

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/**
 * The length that an open axis has while a graph is built. Not 1: that would be taken for an axis to
 * broadcast, and gradients would not be summed along it.
 */
export const openLength = 2;

/** A value fed at every run. */
export function input<T extends DataType>(name: string, type: T, shape: Shape): Tensor<T> {
  return { type, shape: checkShape(shape), source: { kind: 'input', name } };
}

/** A value that training changes. Its name is its identity: in checkpoints, and between graphs. */
export function parameter(name: string, shape: Shape, initialize: Initializer): FloatTensor {
  return { type: 'float32', shape: checkShape(shape), source: { kind: 'parameter', name, initialize } };
}

export function constant<T extends DataType>(type: T, data: DataArrays[T], shape: Shape): Tensor<T> {
  if (data.length !== sizeOf(shape)) throw new Error(`${data.length} values do not fill [${shape}]`);
  return { type, shape, source: { kind: 'constant', data } };
}

export function scalar(value: number): FloatTensor {
  return constant('float32', Float32Array.of(value), []);
}

/** int64 [n], the type in which ONNX takes axes, shapes and positions. */
export function integers(values: readonly number[]): Tensor<'int64'> {
  return constant('int64', BigInt64Array.from(values, BigInt), [values.length]);
}

/** An axis counted from the front. */
export function normalizeAxis(axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (normal < 0 || normal >= rank) throw new Error(`axis ${axis} does not exist in ${rank} dimensions`);
  return normal;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

function checkShape(shape: Shape): Shape {
  for (const length of shape) {
    if (!Number.isInteger(length) || length < 1) throw new Error(`not a shape: [${shape}]`);
  }
  return shape;
}
