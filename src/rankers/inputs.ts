/** The inputs of a ranker's graph, from the arrays of a batch to the tensors that rankers are made of. */
import { gather, multiply, reshape, sigmoid, split } from '../graph/operators/index.ts';
import { zeros } from '../graph/parameters.ts';
import { type FloatTensor, input, parameter } from '../graph/tensor.ts';
import type { BatchAssembler } from './batch.ts';
import { lookupsOf } from './fields.ts';
import type { RankerInputs } from './ranker.ts';

/** Parameter with the logit of each category's gate. (C, 1) */
export const gateParameter = 'gate.logits';

/** What the graph follows from; an assembler is one. */
export type GraphShape = Pick<
  BatchAssembler,
  'fields' | 'columns' | 'visualColumns' | 'gate' | 'visual' | 'batchSize'
>;

/**
 * @param dimension length E of an embedded id
 * @returns the tensor of embedded lookups (B, L, E), whose gradient trains the table, and what is made of it
 */
export function rankerInputs(
  shape: GraphShape,
  dimension: number,
): { readonly embedded: FloatTensor; readonly inputs: RankerInputs } {
  const { fields, columns, visualColumns, gate, batchSize } = shape;
  const { situationFields, itemFields, visualFields, historyLength } = fields.layout;
  const embedded = input('embedded', 'float32', [batchSize, lookupsOf(fields.layout), dimension]);
  const counts = [situationFields, itemFields, historyLength * itemFields];
  const visualCounts = visualFields === 0 ? [] : [visualFields, historyLength * visualFields];
  const [situation, item, history, visualItem, visualHistory] = split(
    embedded,
    [...counts, ...visualCounts],
    1,
  );
  const opening = shape.visual ? openingOf(batchSize, gate.values.length) : null;
  const gated = (x: FloatTensor) => (opening === null ? x : multiply(x, opening));
  const visualLength = visualFields * dimension;
  const seen = (x: FloatTensor | undefined, places: number) =>
    x === undefined ? null : gated(reshape(x, [batchSize, places * visualLength]));
  const seenHistory = seen(visualHistory, historyLength);
  return {
    embedded,
    inputs: {
      situation: reshape(situation!, [batchSize, situationFields * dimension]),
      candidate: {
        ids: reshape(item!, [batchSize, itemFields * dimension]),
        visual: seen(visualItem, 1),
      },
      history: {
        ids: reshape(history!, [batchSize, historyLength, itemFields * dimension]),
        visual: seenHistory === null ? null : reshape(seenHistory, [batchSize, historyLength, visualLength]),
      },
      historyMask: input('historyMask', 'float32', [batchSize, historyLength]),
      dense: columns.width === 0 ? null : input('dense', 'float32', [batchSize, columns.width]),
      visualDense:
        visualColumns.width === 0
          ? null
          : gated(input('visual', 'float32', [batchSize, visualColumns.width])),
    },
  };
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
