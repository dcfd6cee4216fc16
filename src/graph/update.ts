/** What follows the gradients: clipping, the optimiser, the moving average. */
import { add, divide, multiply, relu, squareRoot, subtract, sumAll } from './operators/index.ts';
import type { Optimizer } from './optimizers.ts';
import type { ParameterLayout } from './parameters.ts';
import { constant, type FloatTensor, input, scalar, type Tensor } from './tensor.ts';

export interface UpdateOptions {
  readonly optimizer: Optimizer;
  /** Gradients longer than this are scaled down to it; null leaves them. */
  readonly clipNorm: number | null;
  /** Share of the old in the moving average of the parameters, which is kept beside them; null keeps none. */
  readonly averageDecay?: number | null;
  /** Factor on the learning rate of a parameter, by its name; without it all learn alike. */
  readonly rateOf?: (parameter: string) => number;
}

/**
 * `gradientNorm` before clipping, and `next.…` for each state vector (P): `parameters`, the optimiser's slots and,
 * where one is kept, `average`. The gradient is (P).
 */
export function updateOutputs(
  gradient: FloatTensor,
  layout: ParameterLayout,
  options: UpdateOptions,
): Readonly<Record<string, Tensor>> {
  const { optimizer, clipNorm, averageDecay = null, rateOf = () => 1 } = options;
  const norm = squareRoot(sumAll(multiply(gradient, gradient)));
  const clipped = clipNorm === null ? gradient : divide(gradient, excess(norm, clipNorm));
  const slots = optimizer.slots.map((slot) => input(slot, 'float32', [layout.size]));
  const scalars = new Map(
    Object.keys(optimizer.scalars(1, 1)).map((name) => [name, input(name, 'float32', [])]),
  );
  const vector = parameterVector(layout);
  const decays = constant('float32', decayMask(layout), [layout.size]);
  const next = optimizer.update(vector, clipped, slots, (name) => scalars.get(name)!, decays);
  const parameters = slowed(vector, next.parameters, layout, rateOf);
  return {
    gradientNorm: norm,
    'next.parameters': parameters,
    ...Object.fromEntries(optimizer.slots.map((slot, index) => [`next.${slot}`, next.slots[index]!])),
    ...(averageDecay === null ? {} : { 'next.average': averaged(parameters, layout, averageDecay) }),
  };
}

/** The parameters as the graphs of a step take them. */
export function parameterVector(layout: ParameterLayout): FloatTensor {
  const known = vectors.get(layout);
  if (known !== undefined) return known;
  const vector = input('parameters', 'float32', [layout.size]);
  vectors.set(layout, vector);
  return vector;
}

/** One tensor a layout: a graph must not have two inputs of the same name. */
const vectors = new WeakMap<ParameterLayout, FloatTensor>();

/** The average keeps `decay` of itself and takes the rest from the new parameters (Polyak and Juditsky, 1992). */
function averaged(parameters: FloatTensor, layout: ParameterLayout, decay: number): FloatTensor {
  const before = input('average', 'float32', [layout.size]);
  return add(before, multiply(subtract(parameters, before), scalar(1 - decay)));
}

/** Of what the optimiser changes, decay included, the share that each parameter takes. */
function slowed(
  before: FloatTensor,
  after: FloatTensor,
  layout: ParameterLayout,
  rateOf: (parameter: string) => number,
): FloatTensor {
  const rates = new Float32Array(layout.size);
  for (const { name, offset, size } of layout.places) rates.fill(rateOf(name), offset, offset + size);
  if (rates.every((rate) => rate === 1)) return after;
  return add(before, multiply(subtract(after, before), constant('float32', rates, [layout.size])));
}

/** Weight decay is for matrices: biases, norms and position tables stay as they are. (P) */
function decayMask({ places, size }: ParameterLayout): Float32Array {
  const mask = new Float32Array(size);
  for (const { name, shape, offset, size: own } of places) {
    if (shape.length >= 2 && name.endsWith('.weight')) mask.fill(1, offset, offset + own);
  }
  return mask;
}

/** max(1, norm / limit). */
function excess(norm: FloatTensor, limit: number): FloatTensor {
  return add(relu(add(multiply(norm, scalar(1 / limit)), scalar(-1))), scalar(1));
}
