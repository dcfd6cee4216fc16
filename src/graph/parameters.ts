/** Where each named parameter lies in the one vector that holds them all. */
import type { Random } from '../random.ts';
import { nodesInOrder } from './differentiate.ts';
import { reshape, split } from './operators/index.ts';
import { type FloatTensor, type Initializer, type Shape, sizeOf, type Tensor } from './tensor.ts';

export interface ParameterPlace {
  readonly name: string;
  readonly shape: Shape;
  readonly offset: number;
  readonly size: number;
}

export interface ParameterLayout {
  readonly places: readonly ParameterPlace[];
  /** Length P of the vector. */
  readonly size: number;
}

/** Every parameter that the tensors depend on, by name. */
export function parametersOf(outputs: readonly Tensor[]): readonly FloatTensor[] {
  const found = new Map<string, FloatTensor>();
  const inputs = nodesInOrder(outputs).flatMap((node) => [...node.inputs, ...node.captured]);
  for (const tensor of [...inputs, ...outputs]) {
    if (tensor.source.kind !== 'parameter' || !isFloat(tensor)) continue;
    const { name } = tensor.source;
    if ((found.get(name) ?? tensor) !== tensor) throw new Error(`two parameters are called ${name}`);
    found.set(name, tensor);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, tensor]) => tensor);
}

export function layoutOf(parameters: readonly FloatTensor[]): ParameterLayout {
  let size = 0;
  const places = parameters.map((tensor) => {
    const place = { name: nameOf(tensor), shape: tensor.shape, offset: size, size: sizeOf(tensor.shape) };
    size += place.size;
    return place;
  });
  return { places, size };
}

/** Every parameter as its slice of the vector `flat` (P), found by name in the layout. */
export function bindToVector(
  parameters: readonly FloatTensor[],
  layout: ParameterLayout,
  flat: FloatTensor,
): Map<Tensor, Tensor> {
  const parts = split(
    flat,
    layout.places.map(({ size }) => size),
    0,
  );
  const byName = new Map(layout.places.map(({ name }, index) => [name, parts[index]!]));
  return new Map(
    parameters.map((tensor) => {
      const part = byName.get(nameOf(tensor));
      if (part === undefined) throw new Error(`parameter ${nameOf(tensor)} is not in the layout`);
      return [tensor, reshape(part, tensor.shape)];
    }),
  );
}

/** Fresh values for every parameter, drawn in the order of their names. (P) */
export function initialValues(parameters: readonly FloatTensor[], random: Random): Float32Array {
  const { places, size } = layoutOf(parameters);
  const values = new Float32Array(size);
  for (const [index, tensor] of parameters.entries()) {
    if (tensor.source.kind !== 'parameter') throw new Error('not a parameter');
    values.set(tensor.source.initialize(tensor.shape, random), places[index]!.offset);
  }
  return values;
}

/** The vector cut into its named parameters; the parts share its memory. */
export function namedParts(layout: ParameterLayout, vector: Float32Array): ReadonlyMap<string, Float32Array> {
  if (vector.length !== layout.size) throw new Error(`${vector.length} values for ${layout.size} parameters`);
  return new Map(
    layout.places.map(({ name, offset, size }) => [name, vector.subarray(offset, offset + size)]),
  );
}

/** Adds a vector of some of the parameters to that of all. @param own where those lie in `values` */
export function addPart(
  layout: ParameterLayout,
  vector: Float32Array,
  own: ParameterLayout,
  values: Float32Array,
): void {
  const parts = namedParts(own, values);
  for (const [name, whole] of namedParts(layout, vector)) {
    const part = parts.get(name);
    if (part !== undefined) addTo(whole, part);
  }
}

/** Adds each value in place. */
export function addTo(sum: Float32Array, values: Float32Array): void {
  for (let index = 0; index < sum.length; index++) sum[index]! += values[index]!;
}

export const zeros: Initializer = (shape) => new Float32Array(sizeOf(shape));
export const ones: Initializer = (shape) => new Float32Array(sizeOf(shape)).fill(1);

/** Normal with the given standard deviation. */
export function normal(deviation: number): Initializer {
  return (shape, random) => Float32Array.from({ length: sizeOf(shape) }, () => deviation * random.normal());
}

/** Normal with variance 2 / (inputs + outputs), for a weight (O, I) (Glorot and Bengio, 2010). */
export const glorot: Initializer = (shape, random) => {
  const [outputs = 1, inputs = 1] = shape;
  return normal(Math.sqrt(2 / (inputs + outputs)))(shape, random);
};

function nameOf(tensor: FloatTensor): string {
  if (tensor.source.kind !== 'parameter') throw new Error('not a parameter');
  return tensor.source.name;
}

function isFloat(tensor: Tensor): tensor is FloatTensor {
  return tensor.type === 'float32';
}
