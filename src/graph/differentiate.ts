/** Reverse-mode differentiation: the gradient graph of a scalar, built from the operators' rules. */
import { add, sumTo } from './operators/index.ts';
import { type FloatTensor, type Node, scalar, type Tensor } from './tensor.ts';

const nowhere: ReadonlySet<Tensor> = new Set();

/** Every node that the tensors depend on, each after the nodes it depends on; none from beyond `ends`. */
export function nodesInOrder(
  outputs: readonly Tensor[],
  ends: ReadonlySet<Tensor> = nowhere,
): readonly Node[] {
  const ordered = new Set<Node>();
  // An explicit stack: a deep encoder's graph is deeper than the call stack should be.
  const stack: { node: Node; next: number }[] = [];
  const visit = (tensor: Tensor) => {
    if (tensor.source.kind === 'output' && !ordered.has(tensor.source.node) && !ends.has(tensor)) {
      stack.push({ node: tensor.source.node, next: 0 });
    }
  };
  for (const output of outputs) {
    visit(output);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { inputs, captured } = top.node;
      const follow = inputs[top.next] ?? captured[top.next - inputs.length];
      top.next++;
      if (follow !== undefined) visit(follow);
      else {
        ordered.add(top.node);
        stack.pop();
      }
    }
  }
  return [...ordered];
}

/**
 * d(loss)/d(target) for every target, as tensors of the same graph.
 * @throws Error naming the operator when a node on the way has no gradient rule
 */
export function gradients(loss: FloatTensor, targets: readonly FloatTensor[]): readonly FloatTensor[] {
  if (loss.shape.length !== 0) throw new Error(`a gradient needs a scalar, not [${loss.shape}]`);
  return pullBack(nodesInOrder([loss]), loss, scalar(1), targets).map((gradient) => {
    if (gradient === undefined) throw new Error('the loss does not depend on a target');
    return gradient;
  });
}

/**
 * The vector–Jacobian product: from the gradient for `output` to those for the targets, through the given
 * nodes, of which only those on a way from a target are visited. undefined: no way leads to that target.
 */
export function pullBack(
  nodes: readonly Node[],
  output: FloatTensor,
  seed: FloatTensor,
  targets: readonly FloatTensor[],
): readonly (FloatTensor | undefined)[] {
  const leadsToTarget = new Set<Tensor>(targets);
  for (const { inputs, captured, outputs } of nodes) {
    if ([...inputs, ...captured].some((tensor) => leadsToTarget.has(tensor))) {
      // Integers, such as shapes and row numbers, carry no gradient.
      for (const made of outputs) if (made.type === 'float32') leadsToTarget.add(made);
    }
  }
  const collected = new Map<Tensor, FloatTensor>([[output, seed]]);
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((made) => leadsToTarget.has(made) && collected.has(made))) continue;
    if (node.gradient === null) throw new Error(`operator ${node.type} has no gradient rule`);
    const arriving = node.gradient(node.outputs.map((made) => collected.get(made)));
    const used = [...node.inputs, ...node.captured];
    for (const [index, gradient] of arriving.entries()) {
      const tensor = used[index];
      if (gradient === null || tensor === undefined || !leadsToTarget.has(tensor)) continue;
      const before = collected.get(tensor);
      const fitting = sumTo(gradient, tensor.shape);
      collected.set(tensor, before === undefined ? fitting : add(before, fitting));
    }
  }
  return targets.map((target) => collected.get(target));
}
