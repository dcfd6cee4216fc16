/**
 * A function applied to a long batch chunk by chunk, inside one graph: the activations of a chunk stay in the
 * processor's caches from one operator to the next, which those of a whole batch do not.
 */

import type { DataType } from '../runtime/model.ts';
import { applyMany } from './operator.ts';
import { add, reshape, zerosLike } from './operators/index.ts';
import { bodyOf, isDefined, thereAndBack } from './residuals.ts';
import { type FloatTensor, input, type Subgraph, sizeOf, type Tensor } from './tensor.ts';

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
  const forward = thereAndBack(result, pieces);
  const { targets, found: arrived, seed: arriving, kept, again } = forward;

  const stacked = (tensor: Tensor) => [count, ...tensor.shape];
  const outputs = applyMany(
    {
      type: 'Scan',
      inputs: [batch, ...extras],
      captured: forward.captured,
      attributes: scan(
        { nodes: forward.nodes, inputs: pieces, outputs: [result, ...kept], bindings: new Map() },
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
    const used = targets.flatMap((tensor, index) => {
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

function scan(body: Subgraph, pieces: number) {
  return {
    body: { kind: 'graph', value: body },
    num_scan_inputs: { kind: 'int', value: pieces },
  } as const;
}
