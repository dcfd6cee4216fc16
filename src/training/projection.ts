/** Features of a pretrained network to the components that a head is given, as a graph. */
import type { Whitening } from '../backbones/whitening.ts';
import { buildModel } from '../graph/onnx.ts';
import { add, matmul } from '../graph/operators/index.ts';
import { constant, type FloatTensor, input, openLength } from '../graph/tensor.ts';
import type { Model } from '../runtime/model.ts';

/** (n, F) → (n, k) */
export function projected(features: FloatTensor, { components, map, shift }: Whitening): FloatTensor {
  const width = features.shape.at(-1)!;
  return add(
    matmul(features, constant('float32', map, [width, components])),
    constant('float32', shift, [components]),
  );
}

/** From the input `features` (n, F) to the output `components` (n, k). */
export function projectionModel(width: number, whitening: Whitening): Model {
  const features = input('features', 'float32', [openLength, width]);
  const outputs = { components: projected(features, whitening) };
  return buildModel({ outputs, openAxes: { features: 'photos', components: 'photos' } });
}
