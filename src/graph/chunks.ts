/**
 * A function applied to a long batch chunk by chunk, inside one graph: the activations of a chunk stay in the
 * processor's caches from one operator to the next, which those of a whole batch do not.
 */

import type { DataType } from '../runtime/model.ts';
import { nodesInOrder, pullBack } from './differentiate.ts';
import { applyMany } from './operator.ts';
import { add, reshape, zerosLike } from './operators/index.ts';
import { type FloatTensor, input, type Node, type Subgraph, sizeOf, type Tensor } from './tensor.ts';

export interface ChunkedResult {
  /** (N · c, d) */
  readonly result: FloatTensor;
  /** What is kept of all chunks for the way back. (N, …) each */
  readonly kept: readonly FloatTensor[];
  /** Bytes of each chunk of it. */
  readonly keptBytes: number;
}

/**
 * f on every chunk: (N, c, …) → (N · c, d), where f takes (c, …) to (c, d). Both directions are an ONNX Scan:
 * backward, the gradients of what f uses from outside are summed over the chunks.
 * @param batch what is cut into chunks
 * @param extras more of it, cut alike
 */
export function mapChunks<T extends DataType>(
  batch: Tensor<T>,
  extras: readonly FloatTensor[],
  f: (chunk: Tensor<T>, extras: readonly FloatTensor[]) => FloatTensor,
): ChunkedResult {
  const [count = 1, ...rest] = batch.shape;
  const chunk = input('chunk', batch.type, rest);
  const extraChunks = extras.map(({ shape }) => input('extra', 'float32', shape.slice(1)));
  const result = f(chunk, extraChunks);
  const pieces: readonly Tensor[] = [chunk, ...extraChunks];
  const forward = bodyOf([result], new Set(pieces));
  const captured = forward.captured.filter(isDifferentiable);

  const arriving = input('gradient', 'float32', result.shape);
  const arrived = pullBack(forward.nodes, result, arriving, captured);
  const { kept, again } = residuals(forward.nodes, arrived.filter(isDefined), pieces);

  const stacked = (tensor: Tensor) => [count, ...tensor.shape];
  const outputs = applyMany(
    {
      type: 'Scan',
      inputs: [batch, ...extras],
      captured: forward.captured,
      attributes: scan(
        { ...forward, inputs: pieces, outputs: [result, ...kept], bindings: new Map() },
        pieces.length,
      ),
      gradient: ([gradient, ...others]) => {
        if (gradient === undefined || others.some(isDefined)) throw new Error('only the result is used');
        const sums = backward(gradient, outputs.slice(1));
        return [...pieces.map(() => null), ...forward.captured.map((tensor) => sums.get(tensor) ?? null)];
      },
    },
    [stacked(result), ...kept.map(stacked)],
  );
  return {
    result: reshape(outputs[0]!, [count * result.shape[0]!, ...result.shape.slice(1)]),
    kept: outputs.slice(1),
    keptBytes: kept.reduce((total, { shape }) => total + 4 * sizeOf(shape), 0),
  };

  /** The gradient of each captured tensor, summed chunk after chunk. */
  function backward(gradient: FloatTensor, stacks: readonly FloatTensor[]): Map<Tensor, FloatTensor> {
    const used = captured.flatMap((tensor, index) => {
      const found = arrived[index];
      return found === undefined ? [] : [{ tensor, found, before: input('sum', 'float32', tensor.shape) }];
    });
    const sums = used.map(({ found, before }) => add(before, found));
    // What arrived is there still, so that it is given again and not kept.
    const seen: readonly Tensor[] = [...kept, ...again];
    const stand = seen.map(({ type, shape }) => input('residual', type, shape));
    const bindings = new Map<Tensor, Tensor>(seen.map((tensor, index) => [tensor, stand[index]!]));
    const given = again.map((piece) => [batch, ...extras][pieces.indexOf(piece)]!);
    const before = used.map((entry) => entry.before);
    const body = bodyOf(sums, new Set<Tensor>([...before, arriving, ...seen]));
    const perChunk = [arriving, ...stand];
    const totals = applyMany(
      {
        type: 'Scan',
        inputs: [
          ...used.map(({ tensor }) => zerosLike(tensor)),
          reshape(gradient, stacked(result)),
          ...stacks,
          ...given,
        ],
        captured: body.captured,
        attributes: scan(
          { nodes: body.nodes, inputs: [...before, ...perChunk], outputs: sums, bindings },
          perChunk.length,
        ),
        gradient: null,
      },
      sums.map(({ shape }) => shape),
    );
    return new Map(used.map(({ tensor }, index) => [tensor, totals[index]!]));
  }
}

/** The nodes that depend on `starts`, and what else those use. */
function bodyOf(outputs: readonly Tensor[], starts: ReadonlySet<Tensor>) {
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

/** What the way back needs of the way there, and of what arrived. A reshaped tensor is kept once and reshaped again. */
function residuals(
  forward: readonly Node[],
  gradients: readonly FloatTensor[],
  pieces: readonly Tensor[],
): { readonly kept: readonly FloatTensor[]; readonly again: readonly Tensor[] } {
  const there = new Set(forward);
  const kept = new Set<FloatTensor>();
  const again = new Set<Tensor>();
  const keep = (tensor: Tensor): void => {
    if (pieces.includes(tensor)) again.add(tensor);
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

function scan(body: Subgraph, pieces: number) {
  return {
    body: { kind: 'graph', value: body },
    num_scan_inputs: { kind: 'int', value: pieces },
  } as const;
}

function isDifferentiable(tensor: Tensor): tensor is FloatTensor {
  return isFloat(tensor) && tensor.source.kind !== 'constant';
}

function isFloat(tensor: Tensor): tensor is FloatTensor {
  return tensor.type === 'float32';
}

function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined;
}
