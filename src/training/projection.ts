/** Features of a pretrained network to the components that a head is given, as a graph. */
import type { GridWhitening } from '../backbones/grid-whitening.ts';
import type { Whitening } from '../backbones/whitening.ts';
import { buildModel } from '../graph/onnx.ts';
import { add, concatenate, matmul, reshape, split } from '../graph/operators/index.ts';
import { constant, type FloatTensor, input, openLength } from '../graph/tensor.ts';
import type { Model } from '../runtime/model.ts';

/** What becomes of the features of a photo: components of all of them, then those of each cell of some grids. */
export interface Projection {
  readonly whitening: Whitening;
  readonly grids: readonly GridWhitening[];
}

/** Numbers of a photo that a head is given: k'. */
export function projectedWidth({ whitening, grids }: Projection): number {
  return grids.reduce((sum, { shift }) => sum + shift.length, whitening.components);
}

/** (n, F) → (n, k') */
export function projected(features: FloatTensor, { whitening, grids }: Projection): FloatTensor {
  const width = features.shape.at(-1)!;
  const { components, map, shift } = whitening;
  const whole = add(
    matmul(features, constant('float32', map, [width, components])),
    constant('float32', shift, [components]),
  );
  if (grids.length === 0) return whole;
  return concatenate([whole, ...grids.map((grid) => projectedCells(features, width, grid))], 1);
}

/** (n, F) → (n, cells² · components) */
function projectedCells(features: FloatTensor, width: number, grid: GridWhitening): FloatTensor {
  const { tap, components, map, shift } = grid;
  const { from, cells, channels } = tap;
  const places = cells ** 2;
  const own = places * channels;
  const [count] = features.shape;
  const lengths = [from, own, width - from - own];
  const parts = split(
    features,
    lengths.filter((length) => length > 0),
    1,
  );
  const part = parts[from > 0 ? 1 : 0]!;
  const cellRows = reshape(part, [count! * places, channels]);
  const mapped = matmul(cellRows, constant('float32', map, [channels, components]));
  return add(
    reshape(mapped, [count!, places * components]),
    constant('float32', shift, [places * components]),
  );
}

/** From the input `features` (n, F) to the output `components` (n, k'). */
export function projectionModel(width: number, projection: Projection): Model {
  const features = input('features', 'float32', [openLength, width]);
  const outputs = { components: projected(features, projection) };
  return buildModel({ outputs, openAxes: { features: 'photos', components: 'photos' } });
}
