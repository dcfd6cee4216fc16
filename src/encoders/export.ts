/** The trained encoder as a model of its own: what was evaluated is what is served. */
import { buildModel, type Model } from '../graph/onnx.ts';
import { l2Normalize } from '../graph/operators/index.ts';
import { namedParts, type ParameterLayout, parametersOf } from '../graph/parameters.ts';
import { constant, type FloatTensor, input, type Tensor } from '../graph/tensor.ts';
import type { Encoder } from './encoder.ts';

/** The axis along which photos are batched is open. */
export const photoAxis = 'photos';

/** Photos as a model input and their embeddings of unit length: uint8 (U, S, S, 3) → (U, d). */
export function embeddingGraph(encoder: Encoder): { photos: Tensor<'uint8'>; embeddings: FloatTensor } {
  // Any number of photos will do: the axis is open in the model.
  const photos = input('photos', 'uint8', [1, encoder.side, encoder.side, 3]);
  return { photos, embeddings: l2Normalize(encoder.forward(photos)) };
}

/**
 * A self-contained model: input `photos` uint8 [photos, S, S, 3] in RGB order, output `embeddings` float32
 * [photos, d] of unit length.
 */
export function exportEncoder(encoder: Encoder, layout: ParameterLayout, values: Float32Array): Model {
  const { embeddings } = embeddingGraph(encoder);
  const parts = namedParts(layout, values);
  const bindings = new Map(
    parametersOf([embeddings]).map((tensor): [Tensor, Tensor] => {
      const value = tensor.source.kind === 'parameter' ? parts.get(tensor.source.name) : undefined;
      if (value === undefined) throw new Error('the encoder has a parameter without a value');
      return [tensor, constant('float32', value, tensor.shape)];
    }),
  );
  return buildModel({
    outputs: { embeddings },
    bindings,
    openAxes: { photos: photoAxis, embeddings: photoAxis },
    metadata: { side: String(encoder.side), dimension: String(encoder.dimension) },
  });
}
