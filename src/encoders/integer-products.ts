/**
 * A graph whose products of activations and weights are computed on integers: QuantizeLinear and
 * DequantizeLinear around a MatMul, standard operators that ONNX Runtime compiles into integer kernels.
 */
import {
  attributeTypes,
  elementTypes,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from '../graph/onnx-schema.ts';

/** A product x Wᵀ whose weight does not depend on the photos. */
export interface Product {
  readonly node: NodeProto;
  /** The activation x. */
  readonly input: string;
  /** The same before it was reshaped: products of one activation share its bytes. */
  readonly activation: string;
  readonly weight: string;
  readonly alpha: number;
}

/** Weights and other constants that the graph computes, and the range of each activation. */
export interface Measured {
  readonly values: ReadonlyMap<string, Value>;
  readonly ranges: ReadonlyMap<string, Range>;
}

export interface Value {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

export interface Range {
  readonly low: number;
  readonly high: number;
}

/**
 * The model with its products computed on integers, without what only served the products before.
 * @param model without nodes that depend on constants alone
 */
export function integerProducts(model: ModelProto, products: readonly Product[], measured: Measured): object {
  const { graph } = model;
  const byNode = new Map(products.map((product) => [product.node, product]));
  const quantised = new Set<string>();
  const node: NodeProto[] = [];
  const known = new Set(graph.initializer.map(({ name }) => name));
  const computed = [...measured.values].filter(([name]) => !known.has(name));
  const initializer = [
    ...graph.initializer,
    ...computed.map(([name, { data, shape }]) => tensor(name, 'float32', shape, data)),
  ];
  for (const each of graph.node) {
    const product = byNode.get(each);
    if (product === undefined) {
      node.push(each);
      continue;
    }
    const { input, activation } = product;
    if (!quantised.has(activation)) {
      quantised.add(activation);
      initializer.push(...activationScale(activation, measured));
      node.push(...throughBytes(input, activation));
    }
    initializer.push(...weightBytes(product, measured));
    node.push(...integerProduct(product));
  }
  return { ...model, graph: { ...graph, ...needed(node, initializer, graph.output) } };
}

/** The nodes and constants that the outputs depend on. */
function needed(
  nodes: readonly NodeProto[],
  constants: readonly TensorProto[],
  outputs: ModelProto['graph']['output'],
) {
  const names = new Set(outputs.map(({ name }) => name));
  const node = nodes.toReversed().filter(({ input, output }) => {
    const isNeeded = output.some((name) => names.has(name));
    if (isNeeded) for (const name of input) names.add(name);
    return isNeeded;
  });
  return { node: node.toReversed(), initializer: constants.filter(({ name }) => names.has(name)) };
}

/** The activation as it is after a trip through bytes. */
function throughBytes(input: string, activation: string): readonly NodeProto[] {
  const scale = [`activation.scale.${activation}`, `activation.zero.${activation}`];
  return [
    { opType: 'QuantizeLinear', input: [input, ...scale], output: [`activation.bytes.${activation}`] },
    {
      opType: 'DequantizeLinear',
      input: [`activation.bytes.${activation}`, ...scale],
      output: [`activation.${activation}`],
    },
  ];
}

/** What ONNX Runtime compiles into one product of integers. */
function integerProduct({ node, activation }: Product): readonly NodeProto[] {
  const name = node.output[0]!;
  const weight = [`weight.bytes.${name}`, `weight.scale.${name}`, `weight.zero.${name}`];
  const columns = [{ name: 'axis', type: attributeTypes.int, i: 1 }];
  return [
    { opType: 'DequantizeLinear', input: weight, output: [`weight.${name}`], attribute: columns },
    { opType: 'MatMul', input: [`activation.${activation}`, `weight.${name}`], output: [name] },
  ];
}

/** 0 to 255 stand for `low` to `high`, and one of them exactly for 0. */
function activationScale(activation: string, { ranges }: Measured): readonly TensorProto[] {
  const { low, high } = ranges.get(activation)!;
  const scale = (high - low) / 255 || 1;
  const zero = Math.round(-low / scale);
  return [
    tensor(`activation.scale.${activation}`, 'float32', [], Float32Array.of(scale)),
    tensor(`activation.zero.${activation}`, 'uint8', [], Uint8Array.of(zero)),
  ];
}

/** W (O, I) as bytes Wᵀ (I, O), with a scale for each output channel that takes the product's factor along. */
function weightBytes({ node, weight, alpha }: Product, { values }: Measured): readonly TensorProto[] {
  const name = node.output[0]!;
  const { data, shape } = values.get(weight)!;
  const [outputs, inputs] = [shape[0]!, shape[1]!];
  const scales = new Float32Array(outputs);
  const bytes = new Int8Array(data.length);
  for (let o = 0; o < outputs; o++) {
    const row = data.subarray(o * inputs, (o + 1) * inputs);
    const scale = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127 || 1;
    row.forEach((value, i) => {
      bytes[i * outputs + o] = Math.round(value / scale);
    });
    scales[o] = scale * alpha;
  }
  return [
    tensor(`weight.bytes.${name}`, 'int8', [inputs, outputs], bytes),
    tensor(`weight.scale.${name}`, 'float32', [outputs], scales),
    tensor(`weight.zero.${name}`, 'int8', [outputs], new Int8Array(outputs)),
  ];
}

function tensor(
  name: string,
  type: keyof typeof elementTypes,
  dims: readonly number[],
  { buffer, byteOffset, byteLength }: Float32Array | Uint8Array | Int8Array,
): TensorProto {
  return {
    name,
    dataType: elementTypes[type],
    dims,
    rawData: new Uint8Array(buffer, byteOffset, byteLength),
  };
}
