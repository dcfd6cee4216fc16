/** The encoder as a model of its own: what was evaluated is what is served. */

import { learnedUntilMetadata } from '../data/embeddings/learned-until.ts';
import { l2Normalize } from '../graph/operators/index.ts';
import { initialValues, layoutOf, type ParameterLayout, parametersOf } from '../graph/parameters.ts';
import { type FloatTensor, openLength } from '../graph/tensor.ts';
import { buildExport } from '../graph/training-step.ts';
import type { Random } from '../random.ts';
import type { Model } from '../runtime/model.ts';
import { type Encoder, type Photos, photosInput } from './encoder.ts';

/** The axis along which photos are batched is open. */
export const photoAxis = 'photos';

/** Photos as a model input and their embeddings of unit length: (U, …) → (U, d). */
export function embeddingGraph(encoder: Encoder): { photos: Photos; embeddings: FloatTensor } {
  const photos = photosInput(encoder, [openLength]);
  return { photos, embeddings: l2Normalize(encoder.forward(photos)) };
}

/**
 * A self-contained model: input `photos` uint8 [photos, S, S, 3] in RGB order, output `embeddings` float32
 * [photos, d] of unit length.
 * @param learnedUntil as `learnedUntilMetadata` has it
 */
export function exportEncoder(
  encoder: Encoder,
  layout: ParameterLayout,
  values: Float32Array,
  learnedUntil: number | null = null,
): Model {
  const { embeddings } = embeddingGraph(encoder);
  const open = { photos: photoAxis, embeddings: photoAxis };
  return buildExport({ embeddings }, layout, values, open, learnedUntilMetadata(learnedUntil));
}

/** The same model with fresh parameters: what an encoder is worth that has learned nothing. */
export function exportUntrainedEncoder(encoder: Encoder, random: Random): Model {
  const parameters = parametersOf([embeddingGraph(encoder).embeddings]);
  return exportEncoder(encoder, layoutOf(parameters), initialValues(parameters, random));
}
