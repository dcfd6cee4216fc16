/** Walks over the nodes of ONNX graphs, and small pieces of such graphs. */
import {
  type AttributeProto,
  attributeTypes,
  elementTypes,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from '../graph/onnx-schema.ts';

/** The graphs inside a node, such as the branches of an If. */
export function graphsIn({ attribute = [] }: NodeProto): readonly GraphProto[] {
  return attribute.flatMap(({ g, graphs = [] }) => (g === undefined ? graphs : [g, ...graphs]));
}

/** The node with other graphs in it. */
export function withGraphs(node: NodeProto, change: (graph: GraphProto) => GraphProto): NodeProto {
  if (graphsIn(node).length === 0) return node;
  const attribute = (node.attribute ?? []).map((each) => ({
    ...each,
    ...(each.g !== undefined && { g: change(each.g) }),
    graphs: (each.graphs ?? []).map(change),
  }));
  return { ...node, attribute };
}

/**
 * The graph under other names, those of graphs inside it too. Descriptions of tensors inside are left out: they tell shapes
 * that may be others now.
 */
export function renamed(graph: GraphProto, rename: (name: string) => string): GraphProto {
  const renameValue = (value: ValueInfoProto) => ({ ...value, name: rename(value.name) });
  const renameNode = (node: NodeProto): NodeProto => ({
    ...withGraphs(node, (inner) => renamed(inner, rename)),
    name: rename(node.name ?? ''),
    input: node.input.map(rename),
    output: node.output.map(rename),
  });
  return {
    name: graph.name ?? 'graph',
    node: graph.node.map(renameNode),
    initializer: graph.initializer.map((tensor) => ({ ...tensor, name: rename(tensor.name) })),
    input: graph.input.map(renameValue),
    output: graph.output.map(renameValue),
  };
}

/** Every node of a graph, and of the graphs inside it. */
export function nodesIn(nodes: readonly NodeProto[]): readonly NodeProto[] {
  return nodes.flatMap((node) => [node, ...graphsIn(node).flatMap((graph) => nodesIn(graph.node))]);
}

/** Every node of a model, its functions included. */
export function nodesOfModel({ graph, functions = [] }: ModelProto): readonly NodeProto[] {
  return nodesIn([...graph.node, ...functions.flatMap(({ node }) => node)]);
}

/** The operators of ONNX itself go by two names. */
export function domainOf({ domain = '' }: { readonly domain?: string }): string {
  return domain === 'ai.onnx' ? '' : domain;
}

/** Version of ONNX's own operators that a model or a function asks for; 1 where it does not say. */
export function opsetOf({ opsetImport = [] }: Pick<ModelProto | FunctionProto, 'opsetImport'>): number {
  return opsetImport.find((each) => domainOf(each) === '')?.version ?? 1;
}

export function attributeOf({ attribute = [] }: NodeProto, name: string): AttributeProto | undefined {
  return attribute.find((each) => each.name === name);
}

export const attributes = {
  int: (name: string, i: number): AttributeProto => ({ name, type: attributeTypes.int, i }),
  ints: (name: string, ints: readonly number[]): AttributeProto => ({
    name,
    type: attributeTypes.ints,
    ints,
  }),
  text: (name: string, s: string): AttributeProto => ({ name, type: attributeTypes.text, s: Buffer.from(s) }),
};

/** What stands for "to the end" is no exact number in JavaScript. */
const largest = 2n ** 63n - 1n;

/** A node that gives int64 [n] under a name. */
export function integersNode(name: string, values: readonly number[]): NodeProto {
  const exact = values.map((value) => (value >= 2 ** 63 ? largest : BigInt(value)));
  const rawData = new Uint8Array(BigInt64Array.from(exact).buffer);
  return constantNode(name, { name, dims: [values.length], dataType: elementTypes.int64, rawData });
}

/** A node that gives a float32 number under a name. */
export function floatNode(name: string, value: number): NodeProto {
  const rawData = new Uint8Array(Float32Array.of(value).buffer);
  return constantNode(name, { name, dims: [], dataType: elementTypes.float32, rawData });
}

/** A node that gives float32 [n] under a name. */
export function floatsNode(name: string, values: readonly number[]): NodeProto {
  const rawData = new Uint8Array(Float32Array.from(values).buffer);
  return constantNode(name, { name, dims: [values.length], dataType: elementTypes.float32, rawData });
}

function constantNode(name: string, t: TensorProto): NodeProto {
  return {
    opType: 'Constant',
    input: [],
    output: [name],
    attribute: [{ name: 'value', type: attributeTypes.tensor, t }],
  };
}
