/** What the way back needs of the way there, found by cutting the gradient graph where it uses the forward one. */
import { nodesInOrder, pullBack } from './differentiate.ts';
import { type FloatTensor, input, type Node, type Tensor } from './tensor.ts';

/** The way from some tensors to a result, and back from there to what else it uses. */
export interface ThereAndBack {
  /** The nodes that depend on the tensors it starts from. */
  readonly nodes: readonly Node[];
  /** What else those use. */
  readonly captured: readonly Tensor[];
  /** Those of `captured` that have a gradient, and, at the same places, that gradient; undefined where no way leads back. */
  readonly targets: readonly FloatTensor[];
  readonly found: readonly (FloatTensor | undefined)[];
  /** The gradient of the result, from which they follow. */
  readonly seed: FloatTensor;
  /** What the nodes compute that the way back uses. A reshaped tensor is kept once and reshaped again. */
  readonly kept: readonly FloatTensor[];
  /** What it uses of the tensors at the start. */
  readonly again: readonly Tensor[];
}

/** @param starts what the result is computed from, such as photos; all else that it uses, such as parameters, is captured */
export function thereAndBack(result: FloatTensor, starts: readonly Tensor[]): ThereAndBack {
  const { nodes, captured } = bodyOf([result], new Set(starts));
  const targets = captured.filter(isDifferentiable);
  const seed = input('gradient', 'float32', result.shape);
  const found = pullBack(nodes, result, seed, targets);
  return { nodes, captured, targets, found, seed, ...residuals(nodes, found.filter(isDefined), starts) };
}

/** The nodes that depend on `starts`, and what else those use. */
export function bodyOf(outputs: readonly Tensor[], starts: ReadonlySet<Tensor>) {
  const inside = new Set<Tensor>(starts);
  const nodes: Node[] = [];
  for (const node of nodesInOrder(outputs, starts)) {
    if (![...node.inputs, ...node.captured].some((tensor) => inside.has(tensor))) continue;
    nodes.push(node);
    for (const output of node.outputs) inside.add(output);
  }
  const used = nodes.flatMap((node) => [...node.inputs, ...node.captured]);
  return { nodes, captured: [...new Set(used.filter((tensor) => !inside.has(tensor)))] };
}

function residuals(
  forward: readonly Node[],
  gradients: readonly FloatTensor[],
  starts: readonly Tensor[],
): Pick<ThereAndBack, 'kept' | 'again'> {
  const there = new Set(forward);
  const kept = new Set<FloatTensor>();
  const again = new Set<Tensor>();
  const keep = (tensor: Tensor): void => {
    if (starts.includes(tensor)) again.add(tensor);
    if (tensor.source.kind !== 'output' || !there.has(tensor.source.node)) return;
    const { node } = tensor.source;
    if (node.type === 'Reshape') keep(node.inputs[0]!);
    else if (isFloat(tensor)) kept.add(tensor);
    else throw new Error(`a ${tensor.type} of ${node.type} cannot be kept for the way back`);
  };
  for (const node of nodesInOrder(gradients)) {
    if (!there.has(node)) for (const tensor of node.inputs) keep(tensor);
  }
  return { kept: [...kept], again: [...again] };
}

function isDifferentiable(tensor: Tensor): tensor is FloatTensor {
  return isFloat(tensor) && tensor.source.kind !== 'constant';
}

function isFloat(tensor: Tensor): tensor is FloatTensor {
  return tensor.type === 'float32';
}

export function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined;
}
