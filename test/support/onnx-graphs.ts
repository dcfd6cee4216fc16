/** Small ONNX files as others write them, and what ONNX Runtime itself makes of them. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  attributeTypes,
  elementTypes,
  encodeModel,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from '../../src/graph/onnx-schema.ts';
import { Random } from '../../src/random.ts';

type Length = number | string;

/** A tensor of floats, or of the given type, with open axes by name. */
export function value(
  name: string,
  lengths: readonly Length[],
  elemType: number = elementTypes.float32,
): ValueInfoProto {
  const dim = lengths.map((length) =>
    typeof length === 'number' ? { dimValue: length } : { dimParam: length },
  );
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

/** A node; numbers become int attributes, lists of them ints, texts texts, and numbers in an object floats. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, number | readonly number[] | string | { readonly float: number }>> = {},
): NodeProto {
  const attribute = Object.entries(attributes).map(([name, given]) => {
    if (typeof given === 'number') return { name, type: attributeTypes.int, i: given };
    if (typeof given === 'string') return { name, type: attributeTypes.text, s: Buffer.from(given) };
    if ('float' in given) return { name, type: attributeTypes.float, f: given.float };
    return { name, type: attributeTypes.ints, ints: given };
  });
  return { opType, input, output, attribute };
}

export function weights(name: string, dims: readonly number[], seed = 1): TensorProto {
  const random = Random.seeded(seed, name);
  const size = dims.reduce((product, length) => product * length, 1);
  const values = Float32Array.from({ length: size }, () => 0.3 * random.normal());
  return { name, dims, dataType: elementTypes.float32, rawData: new Uint8Array(values.buffer) };
}

export function integers(name: string, values: readonly number[]): TensorProto {
  const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return { name, dims: [values.length], dataType: elementTypes.int64, rawData };
}

export interface Graph {
  readonly input: readonly ValueInfoProto[];
  readonly node: readonly NodeProto[];
  readonly initializer?: readonly TensorProto[];
  readonly output: readonly ValueInfoProto[];
}

export function modelFile(graph: Graph, opset = 17, more: object = {}): Uint8Array<ArrayBuffer> {
  const opsetImport = [{ domain: '', version: opset }];
  return encodeModel({ irVersion: 8, opsetImport, graph: { name: 'graph', ...graph }, ...more });
}

export interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array;
}

/** Runs a file with ONNX Runtime, without anything of ours. */
export async function runDirectly(
  bytes: Uint8Array,
  feeds: Readonly<Record<string, Values>>,
): Promise<Readonly<Record<string, Values>>> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const given = Object.entries(feeds).map(([name, { data, shape }]) => {
    const type = data instanceof Uint8Array ? 'uint8' : 'float32';
    return [name, new Tensor(type, data, shape)] as const;
  });
  const results = await session.run(Object.fromEntries(given));
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, { data, dims }]) => [
      name,
      { shape: dims, data: data instanceof Uint8Array ? data : Float32Array.from(data, Number) },
    ]),
  );
}

/** uint8 (count, side, side, 3) */
export function randomPhotos(count: number, side: number, seed = 1): Uint8Array {
  const random = Random.seeded(seed, 'photos');
  return Uint8Array.from({ length: count * side * side * 3 }, () => random.integer(256));
}

/** The largest difference; infinite where their numbers differ. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return Array.from(a, (each, at) => Math.abs(each - b[at]!)).reduce((most, each) => Math.max(most, each), 0);
}
