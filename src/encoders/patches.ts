/** Photos cut into patches: what both transformers begin with. */
import { cast, matmul, multiply, reshape, subtract, transpose } from '../graph/operators/index.ts';
import { constant, type FloatTensor, type Tensor } from '../graph/tensor.ts';
import type { DataType } from '../runtime/model.ts';
import type { Photos } from './encoder.ts';

/** Photos (B, S, S, 3) → patches in reading order, each as rows of pixels (B, T, 3 patch²). */
export function cutPatches<T extends DataType>(photos: Tensor<T>, patch: number): Tensor<T> {
  const [batch, height, width] = photos.shape;
  const [rows, columns] = [height! / patch, width! / patch];
  const cut = reshape(photos, [batch!, rows, patch, columns, patch, 3]);
  return reshape(transpose(cut, [0, 1, 3, 2, 4, 5]), [batch!, rows * columns, patch * patch * 3]);
}

/** The same as floats; bytes are moved as bytes, the cheapest way. */
export function floatPatches(photos: Photos, patch: number): FloatTensor {
  return photos.type === 'uint8' ? cast(cutPatches(photos, patch), 'float32') : cutPatches(photos, patch);
}

/** Mean and deviation of ImageNet's colours, 0 to 255: what published weights expect. */
const colourMean = [123.675, 116.28, 103.53];
const colourDeviation = [58.395, 57.12, 57.375];

/**
 * The weight (O, 3 patch²) and bias (O) that do with pixels of 0 to 255 what the given ones do with colours of
 * mean 0 and deviation 1: no pass over the pixels is needed to normalise them.
 */
export function foldColours(weight: FloatTensor, bias: FloatTensor) {
  const [outputs, length] = weight.shape;
  const repeated = (values: readonly number[], shape: readonly number[]) =>
    constant(
      'float32',
      Float32Array.from({ length: length! }, (_, index) => values[index % 3]!),
      shape,
    );
  const inverse = colourDeviation.map((deviation) => 1 / deviation);
  const scaled = multiply(weight, repeated(inverse, [length!]));
  const moved = reshape(matmul(scaled, repeated(colourMean, [length!, 1])), [outputs!]);
  return { weight: scaled, bias: subtract(bias, moved) };
}
