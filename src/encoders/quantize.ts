/**
 * An exported encoder in 8 bits: the same graph, with the products of activations and weights computed on
 * integers, which current CPUs multiply faster and move four times cheaper.
 *
 * Weights become signed bytes, symmetric, with a scale per output channel; activations become unsigned bytes
 * within a range that was measured on photos beforehand (static quantisation; Jacob et al., CVPR 2018, section
 * 3). Written in standard operators, QuantizeLinear and DequantizeLinear around a MatMul, which ONNX Runtime
 * compiles into integer kernels. Ranges measured per batch (`DynamicQuantizeMatMul`) were slower, and make an
 * embedding depend on the photos that happen to be computed with it. Products of two activations, as in
 * attention, stay as they are.
 */

import {
  attributeTypes,
  decodeModel,
  elementTypes,
  encodeModel,
  type ModelProto,
  type NodeProto,
} from '../graph/onnx-schema.ts';
import { type Engine, floats } from '../runtime/engine.ts';
import type { Model, TensorDescription } from '../runtime/model.ts';
import { type EncoderFile, encoderFileOf, modelOf, unusableEncoder } from './file.ts';
import { integerProducts, type Measured, type Product, type Range, type Value } from './integer-products.ts';

/** Metadata of a quantised model: the SHA-256 of the encoder it was made from. */
const originKey = 'courier.encoder';

/**
 * Quantises an encoder that courier exported.
 * @param photos batches of photos (n, S, S, 3) on which the ranges of the activations are measured
 * @returns the model as it goes into a file `path`
 * @throws CourierError FILE_CORRUPT for a model from elsewhere, or one without a product to quantise
 */
export async function quantize(
  encoder: EncoderFile,
  path: string,
  photos: Iterable<Uint8Array>,
  engine: Engine,
): Promise<EncoderFile> {
  const model = decodeModel(encoder.bytes);
  if (model.producerName !== 'courier-rec')
    throw unusableEncoder(encoder.path, 'only encoders of courier can be quantised.');
  const constants = constantsOf(model);
  const products = findProducts(model, constants);
  if (products.length === 0) throw unusableEncoder(encoder.path, 'it has no product to quantise.');
  const measured = await measure(encoder, model, products, constants, photos, engine);
  const small = integerProducts(withoutConstantNodes(model, constants), products, measured);
  const metadataProps = [...model.metadataProps, { key: originKey, value: encoder.hash }];
  return encoderFileOf(path, encodeModel({ ...small, metadataProps }));
}

/** The SHA-256 of the encoder from which a quantised model was made; undefined for any other model. */
export function quantizedFrom({ bytes }: EncoderFile): string | undefined {
  return decodeModel(bytes).metadataProps.find(({ key }) => key === originKey)?.value;
}

/** Names of what does not depend on the photos. */
function constantsOf({ graph }: ModelProto): ReadonlySet<string> {
  const constants = new Set(graph.initializer.map(({ name }) => name));
  for (const { input, output } of graph.node) {
    if (input.every((name) => constants.has(name))) for (const name of output) constants.add(name);
  }
  return constants;
}

function dependsOnPhotos(node: NodeProto, constants: ReadonlySet<string>): boolean {
  return node.output.some((name) => !constants.has(name));
}

/** What is computed from constants is one itself: `measure` tells its value. */
function withoutConstantNodes(model: ModelProto, constants: ReadonlySet<string>): ModelProto {
  const node = model.graph.node.filter((each) => dependsOnPhotos(each, constants));
  return { ...model, graph: { ...model.graph, node } };
}

function findProducts({ graph }: ModelProto, constants: ReadonlySet<string>): readonly Product[] {
  const reshaped = new Map(
    graph.node.flatMap(({ opType, input, output }) =>
      opType === 'Reshape' ? [[output[0]!, input[0]!]] : [],
    ),
  );
  return graph.node.flatMap((node): Product[] => {
    const [input, weight] = node.input;
    if (node.opType !== 'Gemm' || node.input.length !== 2) return [];
    if (input === undefined || weight === undefined) return [];
    const plain = (attribute(node, 'transA') ?? 0) === 0 && attribute(node, 'transB') === 1;
    if (!plain || constants.has(input) || !constants.has(weight)) return [];
    const activation = reshaped.get(input) ?? input;
    return [{ node, input, activation, weight, alpha: attribute(node, 'alpha') ?? 1 }];
  });
}

function attribute({ attribute: all = [] }: NodeProto, name: string): number | undefined {
  const found = all.find((each) => each.name === name);
  return found?.f ?? found?.i;
}

/**
 * Runs the encoder with further outputs: what the products take, and what is computed from constants alone, as
 * weights may be.
 */
async function measure(
  encoder: EncoderFile,
  model: ModelProto,
  products: readonly Product[],
  constants: ReadonlySet<string>,
  photos: Iterable<Uint8Array>,
  engine: Engine,
): Promise<Measured> {
  const inputs = [...new Set(products.map(({ input }) => input))];
  const known = new Set(model.graph.initializer.map(({ name }) => name));
  const computed = model.graph.node
    .filter((node) => dependsOnPhotos(node, constants))
    .flatMap(({ input }) => input.filter((name) => constants.has(name) && !known.has(name)));
  const wanted = [...new Set([...computed, ...products.map(({ weight }) => weight)])];
  const session = await engine.load(observed(encoder, model, inputs, wanted));
  try {
    const values = new Map<string, Value>();
    const ranges = new Map<string, Range>();
    for (const batch of photos) {
      const seen = await session.run({ photos: batch });
      for (const name of wanted) {
        const shape = Array.from(seen[`shape.${name}`] ?? [], Number);
        values.set(name, { data: floats(seen, `value.${name}`), shape });
      }
      for (const { input, activation } of products) {
        const before = ranges.get(activation) ?? { low: 0, high: 0 };
        const [low, high] = [floats(seen, `low.${input}`)[0]!, floats(seen, `high.${input}`)[0]!];
        if (!Number.isFinite(high - low))
          throw unusableEncoder(encoder.path, 'it computes values that are no numbers.');
        ranges.set(activation, { low: Math.min(before.low, low), high: Math.max(before.high, high) });
      }
    }
    return { values, ranges };
  } finally {
    await session.release();
  }
}

/** The encoder with the outputs `value.…`, `shape.…`, `low.…` and `high.…` besides. */
function observed(
  encoder: EncoderFile,
  model: ModelProto,
  inputs: readonly string[],
  constants: readonly string[],
): Model {
  const watches = [
    ...constants.flatMap((name) => [watch('Identity', name, 'value'), watch('Shape', name, 'shape')]),
    ...inputs.flatMap((name) => [watch('ReduceMin', name, 'low'), watch('ReduceMax', name, 'high')]),
  ];
  const { graph } = model;
  const described = watches.map(({ output: [name], type }) => ({
    name,
    type: { tensorType: { elemType: elementTypes[type] } },
  }));
  const bytes = encodeModel({
    ...model,
    graph: { ...graph, node: [...graph.node, ...watches], output: [...graph.output, ...described] },
  });
  const plain = modelOf(encoder);
  const seen = watches.map(({ output: [name], type }): [string, TensorDescription] => [
    name,
    { type, shape: [] },
  ]);
  return { ...plain, encode: () => bytes, outputs: { ...plain.outputs, ...Object.fromEntries(seen) } };
}

/** A node that hands out what is known of a tensor, over all of its axes, as `<as>.<name>`. */
function watch(opType: 'Identity' | 'Shape' | 'ReduceMin' | 'ReduceMax', name: string, as: string) {
  const isReduction = opType.startsWith('Reduce');
  return {
    opType,
    input: [name],
    output: [`${as}.${name}`] as const,
    attribute: isReduction ? [{ name: 'keepdims', type: attributeTypes.int, i: 0 }] : [],
    type: opType === 'Shape' ? ('int64' as const) : ('float32' as const),
  };
}
