/** How operators are made and listed. */

import type { DataType } from '../runtime/model.ts';
import type { Attribute, FloatTensor, GradientRule, Node, Shape, Tensor } from './tensor.ts';

interface NodeDescription {
  readonly type: string;
  readonly domain?: 'com.microsoft';
  readonly inputs: readonly Tensor[];
  readonly captured?: readonly Tensor[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly gradient: GradientRule | null;
}

/** Every operator by name; a test checks the gradient of each that is differentiable. */
export const operatorTable = new Map<string, { readonly differentiable: boolean }>();

/** Lists a differentiable operator. */
export function operator<A extends readonly unknown[], R>(
  name: string,
  build: (...inputs: A) => R,
): (...inputs: A) => R {
  operatorTable.set(name, { differentiable: true });
  return build;
}

/** Lists an operator whose result has no derivative: comparisons, conversions of integers. */
export function discreteOperator<A extends readonly unknown[], R>(
  name: string,
  build: (...inputs: A) => R,
): (...inputs: A) => R {
  operatorTable.set(name, { differentiable: false });
  return build;
}

/** A node with one output. */
export function apply<T extends DataType>(description: NodeDescription, type: T, shape: Shape): Tensor<T> {
  const outputs: Tensor<T>[] = [];
  const node = nodeOf(description, outputs);
  const output: Tensor<T> = { type, shape, source: { kind: 'output', node, index: 0 } };
  outputs.push(output);
  return output;
}

/** A node with several float outputs. */
export function applyMany(description: NodeDescription, shapes: readonly Shape[]): readonly FloatTensor[] {
  const outputs: FloatTensor[] = [];
  const node = nodeOf(description, outputs);
  for (const [index, shape] of shapes.entries()) {
    outputs.push({ type: 'float32', shape, source: { kind: 'output', node, index } });
  }
  return outputs;
}

/** The gradient that arrived for a node's only output. */
export function only(outputs: readonly (FloatTensor | undefined)[]): FloatTensor {
  const [gradient] = outputs;
  if (gradient === undefined) throw new Error('a gradient rule ran without a gradient');
  return gradient;
}

function nodeOf(description: NodeDescription, outputs: readonly Tensor[]): Node {
  const { type, domain = '', inputs, captured = [], attributes = {}, gradient } = description;
  return { type, domain, inputs, captured, attributes, outputs, gradient };
}
