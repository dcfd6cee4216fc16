/** Writes a graph as an ONNX model. */
import { nodesInOrder } from './differentiate.ts';
import { encodeModel } from './onnx-schema.ts';
import type { Attribute, DataType, Node, Shape, Tensor } from './tensor.ts';

export interface TensorDescription {
  readonly type: DataType;
  readonly shape: Shape;
}

/** A serialised graph and what it takes and gives. */
export interface Model {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly inputs: Readonly<Record<string, TensorDescription>>;
  readonly outputs: Readonly<Record<string, TensorDescription>>;
}

interface ModelOptions {
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** What stands in for a tensor: a parameter's current value, a slice of a larger vector. */
  readonly bindings?: ReadonlyMap<Tensor, Tensor>;
  /** Inputs and outputs whose first axis is open, with the name of that axis. */
  readonly openAxes?: Readonly<Record<string, string>>;
}

const elementTypes: Readonly<Record<DataType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
};
const opsets = [
  { domain: '', version: 21 },
  { domain: 'com.microsoft', version: 1 },
];

/**
 * The model that computes `outputs`. Inputs are found by walking the graph; the order of everything follows
 * from the walk, so equal graphs give equal bytes.
 * @throws Error when a parameter is not bound or two inputs share a name
 */
export function buildModel(options: ModelOptions): Model {
  const { outputs, bindings = new Map<Tensor, Tensor>(), openAxes = {} } = options;
  const writer = new GraphWriter(bindings);
  const entries = Object.entries(outputs);
  const roots = entries.map(([, tensor]) => tensor);
  for (const node of nodesInOrder([...bindings.values(), ...roots])) writer.addNode(node);
  for (const [name, tensor] of entries) writer.addOutput(name, tensor);
  const describe = ([name, { type, shape }]: readonly [string, TensorDescription]) => ({
    name,
    type: {
      tensorType: { elemType: elementTypes[type], shape: { dim: dimensions(shape, openAxes[name]) } },
    },
  });
  const described = entries.map(([name, { type, shape }]) => [name, { type, shape }] as const);
  const bytes = encodeModel({
    irVersion: 10,
    producerName: 'courier-rec',
    opsetImport: opsets,
    graph: {
      name: 'courier',
      node: writer.nodes,
      initializer: writer.initializers,
      input: [...writer.inputs].map(describe),
      output: described.map(describe),
    },
  });
  return { bytes, inputs: Object.fromEntries(writer.inputs), outputs: Object.fromEntries(described) };
}

function dimensions(shape: Shape, openAxis: string | undefined) {
  return shape.map((length, axis) =>
    axis === 0 && openAxis !== undefined ? { dimParam: openAxis } : { dimValue: length },
  );
}

class GraphWriter {
  readonly nodes: unknown[] = [];
  readonly initializers: unknown[] = [];
  readonly inputs = new Map<string, TensorDescription>();
  readonly #bindings: ReadonlyMap<Tensor, Tensor>;
  readonly #names = new Map<Tensor, string>();

  constructor(bindings: ReadonlyMap<Tensor, Tensor>) {
    this.#bindings = bindings;
  }

  addNode(node: Node): void {
    this.nodes.push({
      opType: node.type,
      domain: node.domain,
      name: `${node.type}_${this.nodes.length}`,
      input: node.inputs.map((tensor) => this.#nameOf(tensor)),
      output: node.outputs.map((tensor) => this.#nameOf(tensor)),
      attribute: Object.entries(node.attributes).map(attributeProto),
    });
  }

  /** Outputs get their own node, since one tensor may be asked for under several names. */
  addOutput(name: string, tensor: Tensor): void {
    this.nodes.push({
      opType: 'Identity',
      name: `output_${name}`,
      input: [this.#nameOf(tensor)],
      output: [name],
    });
  }

  #nameOf(wanted: Tensor): string {
    const tensor = this.#bindings.get(wanted) ?? wanted;
    const known = this.#names.get(tensor);
    if (known !== undefined) return known;
    const name = this.#declare(tensor);
    this.#names.set(tensor, name);
    return name;
  }

  #declare(tensor: Tensor): string {
    const { source, type, shape } = tensor;
    switch (source.kind) {
      case 'output':
        return `t${this.#names.size}`;
      case 'parameter':
        throw new Error(`parameter ${source.name} has no value in this model`);
      case 'input':
        if (this.inputs.has(source.name)) throw new Error(`two inputs are called ${source.name}`);
        this.inputs.set(source.name, { type, shape });
        return source.name;
      case 'constant': {
        const name = `c${this.initializers.length}`;
        const { buffer, byteOffset, byteLength } = source.data;
        const rawData = new Uint8Array(buffer, byteOffset, byteLength);
        this.initializers.push({ name, dataType: elementTypes[type], dims: [...shape], rawData });
        return name;
      }
    }
  }
}

function attributeProto([name, attribute]: [string, Attribute]) {
  switch (attribute.kind) {
    case 'int':
      return { name, type: 2, i: attribute.value };
    case 'ints':
      return { name, type: 7, ints: [...attribute.value] };
    case 'float':
      return { name, type: 1, f: attribute.value };
    case 'text':
      return { name, type: 3, s: Buffer.from(attribute.value) };
  }
}
