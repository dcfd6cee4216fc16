/** Operators that a target lacks, or does not run as they are, in terms of others that it has. */
import type { Target } from '../runtime/model.ts';
import { apply } from './operator.ts';
import { multiply, split, transpose } from './operators/index.ts';
import { type Attribute, type FloatTensor, type Node, scalar, type Tensor } from './tensor.ts';

/** Makes a tensor for each output of a node from its inputs; null where the node may stay as it is. */
type Lowering = (node: Node) => readonly Tensor[] | null;

const lowerings: Readonly<Record<Target, Readonly<Record<string, Lowering>>>> = {
  fused: {},
  standard: { FusedMatMul: lowerProduct, Split: lowerSplit },
};

/** What to compute in place of a node's outputs on the target; null: the node itself. */
export function lower(node: Node, target: Target): readonly Tensor[] | null {
  return lowerings[target][node.type]?.(node) ?? null;
}

/**
 * ONNX Runtime's WebGPU has no FusedMatMul and would leave it to the CPU. For two matrices, Gemm is the same by
 * another name; for stacks of them, transposing and scaling are steps of their own.
 */
function lowerProduct({ inputs, outputs, attributes }: Node): readonly Tensor[] {
  const { shape } = outputs[0]!;
  const product = (type: string, factors: readonly Tensor[], settings: Node['attributes'] = {}) =>
    apply({ type, inputs: factors, attributes: settings, gradient: null }, 'float32', shape);
  if (inputs.every((factor) => factor.shape.length === 2)) return [product('Gemm', inputs, attributes)];
  const factors = inputs.map((factor, index) =>
    numberOf(attributes[index === 0 ? 'transA' : 'transB']) === 1 ? swapLast(factor) : factor,
  );
  const alpha = numberOf(attributes['alpha']);
  const plain = product('MatMul', factors);
  return [alpha === 1 ? plain : multiply(plain, scalar(alpha))];
}

/** The matrices of a stack, transposed: (…, n, m) → (…, m, n). */
function swapLast(x: Tensor): Tensor {
  const rank = x.shape.length;
  return transpose(x, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
}

/** A GPU that WebGPU supports binds at least 8 buffers to an operator: the one to cut, and 7 parts. */
const mostParts = 7;

/** A parameter vector has far more parts, so it is cut into pieces, and those again. */
function lowerSplit({ inputs, outputs, attributes }: Node): readonly Tensor[] | null {
  if (outputs.length <= mostParts) return null;
  const axis = numberOf(attributes['axis']);
  return cut(
    floatTensor(inputs[0]),
    outputs.map(({ shape }) => shape[axis]!),
    axis,
  );
}

function cut(x: FloatTensor, lengths: readonly number[], axis: number): readonly FloatTensor[] {
  if (lengths.length === 1) return [x];
  const size = Math.ceil(lengths.length / mostParts);
  const groups = Array.from({ length: Math.ceil(lengths.length / size) }, (_, index) =>
    lengths.slice(index * size, (index + 1) * size),
  );
  const sums = groups.map((group) => group.reduce((a, b) => a + b, 0));
  return split(x, sums, axis).flatMap((piece, index) => cut(piece, groups[index]!, axis));
}

function numberOf(attribute: Attribute | undefined): number {
  if (attribute?.kind === 'int' || attribute?.kind === 'float') return attribute.value;
  throw new Error('an attribute that should be a number is none');
}

function floatTensor(tensor: Tensor | undefined): FloatTensor {
  if (isFloat(tensor)) return tensor;
  throw new Error('only floats are cut');
}

function isFloat(tensor: Tensor | undefined): tensor is FloatTensor {
  return tensor?.type === 'float32';
}
