/** Reverse-mode differentiation: the gradient graph of a scalar, built from the operators' rules. */
import { add } from './operators/elementwise.ts';
import { type FloatTensor, type Node, scalar, type Tensor } from './tensor.ts';

/** Every node that the tensors depend on, each after the nodes it depends on. */
export function nodesInOrder(outputs: readonly Tensor[]): readonly Node[] {
  const ordered = new Set<Node>();
  // An explicit stack: a deep encoder's graph is deeper than the call stack should be.
  const stack: { node: Node; next: number }[] = [];
  const visit = (tensor: Tensor) => {
    if (tensor.source.kind === 'output' && !ordered.has(tensor.source.node)) {
      stack.push({ node: tensor.source.node, next: 0 });
    }
  };
  for (const output of outputs) {
    visit(output);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const follow = top.node.inputs[top.next];
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
 * Only nodes on a way from a target to the loss are visited.
 * @throws Error naming the operator when such a node has no gradient rule
 */
export function gradients(loss: FloatTensor, targets: readonly FloatTensor[]): readonly FloatTensor[] {
  if (loss.shape.length !== 0) throw new Error(`a gradient needs a scalar, not [${loss.shape}]`);
  const nodes = nodesInOrder([loss]);
  const leadsToTarget = new Set<Tensor>(targets);
  for (const node of nodes) {
    if (node.inputs.some((tensor) => leadsToTarget.has(tensor))) {
      for (const output of node.outputs) leadsToTarget.add(output);
    }
  }
  const collected = new Map<Tensor, FloatTensor>([[loss, scalar(1)]]);
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((output) => leadsToTarget.has(output) && collected.has(output))) continue;
    if (node.gradient === null) throw new Error(`operator ${node.type} has no gradient rule`);
    const arriving = node.gradient(node.outputs.map((output) => collected.get(output)));
    for (const [index, gradient] of arriving.entries()) {
      const tensor = node.inputs[index];
      if (gradient === null || tensor === undefined || !leadsToTarget.has(tensor)) continue;
      const before = collected.get(tensor);
      collected.set(tensor, before === undefined ? gradient : add(before, gradient));
    }
  }
  return targets.map((target) => {
    const gradient = collected.get(target);
    if (gradient === undefined) throw new Error('the loss does not depend on a target');
    return gradient;
  });
}
