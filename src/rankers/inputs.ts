/** The inputs of a ranker's graph, from the arrays of a batch to the tensors that rankers are made of. */
import { gather, multiply, relu, reshape, sigmoid, subtract } from '../graph/operators/index.ts';
import { zeros } from '../graph/parameters.ts';
import { constant, type FloatTensor, input, parameter, scalar } from '../graph/tensor.ts';
import type { BatchAssembler } from './batch.ts';
import type { EmbeddedParts } from './embedded-parts.ts';
import { join } from './layers.ts';
import type { RankerInputs } from './ranker.ts';

/** Parameter with the logit of each category's gate. (C, 1) */
export const gateParameter = 'gate.logits';

/** What the graph follows from; an assembler is one. */
export type GraphShape = Pick<
  BatchAssembler,
  'fields' | 'columns' | 'visualColumns' | 'nearness' | 'gate' | 'visual' | 'batchSize'
>;

/** @param embedded lookups, of an exposure in the order of its fields: E numbers each */
export function rankerInputs(shape: GraphShape, embedded: EmbeddedParts, dimension: number): RankerInputs {
  const { fields, columns, visualColumns, gate, batchSize } = shape;
  const { situationFields, itemFields, visualFields, historyLength } = fields.layout;
  const { situation, candidate, history, candidateCodes, historyCodes } = embedded;
  const opening = shape.visual ? openingOf(batchSize, gate.values.length) : null;
  const gated = (x: FloatTensor) => (opening === null ? x : multiply(x, opening));
  const visualLength = visualFields * dimension;
  const seen = (x: FloatTensor | undefined, places: number) =>
    x === undefined ? null : gated(reshape(x, [batchSize, places * visualLength]));
  const seenHistory = seen(historyCodes, historyLength);
  return {
    situation: reshape(situation!, [batchSize, situationFields * dimension]),
    candidate: {
      ids: reshape(candidate!, [batchSize, itemFields * dimension]),
      visual: seen(candidateCodes, 1),
    },
    history: {
      ids: reshape(history!, [batchSize, historyLength, itemFields * dimension]),
      visual: seenHistory === null ? null : reshape(seenHistory, [batchSize, historyLength, visualLength]),
    },
    historyMask: input('historyMask', 'float32', [batchSize, historyLength]),
    dense: columns.width === 0 ? null : denseOf(columns, batchSize),
    visualDense:
      visualColumns.width === 0 ? null : gated(input('visual', 'float32', [batchSize, visualColumns.width])),
    nearness: shape.nearness ? nearnessOf(batchSize, historyLength, gated) : null,
  };
}

/**
 * Base features as they are, and in pieces: of each piece between two quantiles the share that lies below the value, from 0
 * to 1 (piecewise linear encoding, Gorishniy et al., NeurIPS 2022, equation 1).
 * @returns (B, N + N · Q)
 */
function denseOf({ width, pieces }: GraphShape['columns'], batchSize: number): FloatTensor {
  const dense = input('dense', 'float32', [batchSize, width]);
  if (pieces === null) return dense;
  const { count, lower, scale } = pieces;
  const own = (values: Float32Array) => constant('float32', values, [1, width, count]);
  const shares = sharesBelow(reshape(dense, [batchSize, width, 1]), own(lower), own(scale));
  return join([dense, reshape(shares, [batchSize, width * count])]);
}

/** min(1, max(0, z)) of z = (x − lower) · scale, as 1 − max(0, 1 − max(0, z)): of each piece what lies below x. */
function sharesBelow(x: FloatTensor, lower: FloatTensor, scale: FloatTensor): FloatTensor {
  const one = scalar(1);
  return subtract(one, relu(subtract(one, relu(multiply(subtract(x, lower), scale)))));
}

/** Pieces of nearness, from 0 to 2: of width 0.1, as the tiers of `sim-tier` are. */
const nearnessPieces = 20;

/**
 * Nearness in pieces of equal width, so that attention need not grow with it evenly: what DMF (arXiv 2510.11066) has as an
 * embedding of each bucket, without its jumps. 0 is 0 in all pieces, and so no knowledge.
 * @returns (B, H, Q)
 */
function nearnessOf(
  batchSize: number,
  historyLength: number,
  gated: (x: FloatTensor) => FloatTensor,
): FloatTensor {
  const nearness = input('nearness', 'float32', [batchSize, historyLength]);
  const lower = Float32Array.from({ length: nearnessPieces }, (_, piece) => (2 * piece) / nearnessPieces);
  const shares = sharesBelow(
    reshape(nearness, [batchSize, historyLength, 1]),
    constant('float32', lower, [1, 1, nearnessPieces]),
    scalar(nearnessPieces / 2),
  );
  const open = gated(reshape(shares, [batchSize, historyLength * nearnessPieces]));
  return reshape(open, [batchSize, historyLength, nearnessPieces]);
}

/**
 * How far the visual side is let through, by the candidate's category: learned, in [0, 1] (COURIER, section 4).
 * It shows how much each category uses its photos.
 * @returns (B, 1)
 */
function openingOf(batchSize: number, categories: number): FloatTensor {
  const logits = parameter(gateParameter, [categories, 1], zeros);
  return sigmoid(gather(logits, input('category', 'int32', [batchSize])));
}
