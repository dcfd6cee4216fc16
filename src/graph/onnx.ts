/** Writes a graph as an ONNX model. */
import type { Model, Target, TensorDescription } from '../runtime/model.ts';
import { nodesInOrder } from './differentiate.ts';
import { lower } from './lowering.ts';
import { attributeTypes, elementTypes, encodeModel } from './onnx-schema.ts';
import type { Attribute, Node, Shape, Subgraph, Tensor } from './tensor.ts';

interface ModelOptions {
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** What stands in for a tensor: a parameter's current value, a slice of a larger vector. */
  readonly bindings?: ReadonlyMap<Tensor, Tensor>;
  /** Inputs and outputs whose first axis is open, with the name of that axis. */
  readonly openAxes?: Readonly<Record<string, string>>;
  /** Texts that the file carries beside the graph. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * The lowest versions that our operators mean the same in, so that old runtimes load what we write: LayerNormalization is of
 * opset 17, and the last of the reductions take their axes as an input since 18; IR 8 came with it.
 */
const irVersion = 8;
const opsets = { '': 18, 'com.microsoft': 1 } as const;

/**
 * The model that computes `outputs`. Inputs are found by walking the graph; the order of everything follows
 * from the walk, so equal graphs give equal bytes.
 * @throws Error when a parameter is not bound or two inputs share a name
 */
export function buildModel(options: ModelOptions): Model {
  const outputs = Object.entries(options.outputs).map(
    ([name, { type, shape }]) => [name, { type, shape }] as const,
  );
  return {
    encode: (target) => encodeModel(modelProto(options, writeGraph(options, target))),
    inputs: Object.fromEntries(writeGraph(options, 'fused').inputs),
    outputs: Object.fromEntries(outputs),
  };
}

function writeGraph({ outputs, bindings = new Map() }: ModelOptions, target: Target): GraphWriter {
  const writer = new GraphWriter(bindings, target);
  const entries = Object.entries(outputs);
  const roots = entries.map(([, tensor]) => tensor);
  for (const [name, tensor] of entries) writer.nameOutput(name, tensor);
  const stoodIn = new Set(bindings.keys());
  for (const node of nodesInOrder([...bindings.values(), ...roots], stoodIn)) writer.addNode(node);
  for (const [name, tensor] of entries) writer.addOutput(name, tensor);
  return writer;
}

function modelProto({ outputs, openAxes = {}, metadata = {} }: ModelOptions, graph: GraphWriter) {
  const describe = ([name, { type, shape }]: readonly [string, TensorDescription]) => ({
    name,
    type: {
      tensorType: { elemType: elementTypes[type], shape: { dim: dimensions(shape, openAxes[name]) } },
    },
  });
  return {
    irVersion,
    producerName: 'courier-rec',
    opsetImport: [...graph.domains].map((domain) => ({ domain, version: opsets[domain] })),
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: 'courier',
      node: graph.nodes,
      initializer: graph.initializers,
      input: [...graph.inputs].map(describe),
      output: Object.entries(outputs).map(describe),
    },
  };
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
  /** Of the operators that are written; a model may not ask for others, which a runtime may lack. */
  readonly domains = new Set<Node['domain']>(['']);
  readonly #target: Target;
  #bindings: ReadonlyMap<Tensor, Tensor>;
  readonly #names = new Map<Tensor, string>();
  #bodies = 0;

  constructor(bindings: ReadonlyMap<Tensor, Tensor>, target: Target) {
    this.#bindings = bindings;
    this.#target = target;
  }

  addNode(node: Node): void {
    this.nodes.push(...this.#lowered(node));
  }

  /** What a node computes goes by the name of the output it is for, so that it is written there at once. */
  nameOutput(name: string, wanted: Tensor): void {
    const tensor = this.#bindings.get(wanted) ?? wanted;
    if (tensor.source.kind === 'output' && !this.#names.has(tensor)) this.#names.set(tensor, name);
  }

  /** An output that is an input, a constant or also another output is copied. */
  addOutput(name: string, tensor: Tensor): void {
    const known = this.#nameOf(tensor);
    if (known !== name) this.nodes.push(copy(known, name));
  }

  /** The node, or the nodes that do its work on the target and go by the names of its outputs. */
  #lowered(node: Node): readonly unknown[] {
    const standIns = lower(node, this.#target);
    if (standIns === null) return [this.#nodeProto(node)];
    for (const [index, tensor] of standIns.entries())
      this.#names.set(tensor, this.#nameOf(node.outputs[index]!));
    return nodesInOrder(standIns, new Set(node.inputs)).map((inner) => this.#nodeProto(inner));
  }

  #nodeProto(node: Node): unknown {
    this.domains.add(node.domain);
    return {
      opType: node.type,
      domain: node.domain,
      input: node.inputs.map((tensor) => this.#nameOf(tensor)),
      output: node.outputs.map((tensor) => this.#nameOf(tensor)),
      attribute: Object.entries(node.attributes).map(([name, attribute]) =>
        attribute.kind === 'graph'
          ? { name, type: attributeTypes.graph, g: this.#subgraphProto(attribute.value) }
          : attributeProto(name, attribute),
      ),
    };
  }

  /** Names from around it are known inside; what it computes is known to itself alone. */
  #subgraphProto({ inputs, nodes, outputs, bindings }: Subgraph): unknown {
    const around = this.#bindings;
    this.#bindings = new Map([...around, ...bindings]);
    const body = this.#bodies++;
    for (const [index, tensor] of inputs.entries()) this.#names.set(tensor, `b${body}.${index}`);
    const describeAs = (name: string, { type, shape }: Tensor) => ({
      name,
      type: { tensorType: { elemType: elementTypes[type], shape: { dim: dimensions(shape, undefined) } } },
    });
    const input = inputs.map((tensor) => describeAs(this.#nameOf(tensor), tensor));
    const node = nodes.flatMap((inner) => this.#lowered(inner));
    const own = new Set(nodes.flatMap((inner) => inner.outputs));
    const output = outputs.map((tensor, index) => {
      const name = this.#nameOf(tensor);
      if (own.delete(tensor)) return describeAs(name, tensor);
      node.push(copy(name, `${name}_${index}`));
      return describeAs(`${name}_${index}`, tensor);
    });
    this.#bindings = around;
    return { name: 'body', node, input, output };
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

function copy(from: string, to: string) {
  return { opType: 'Identity', input: [from], output: [to] };
}

function attributeProto(name: string, attribute: Exclude<Attribute, { kind: 'graph' }>) {
  const type = attributeTypes[attribute.kind];
  switch (attribute.kind) {
    case 'int':
      return { name, type, i: attribute.value };
    case 'ints':
      return { name, type, ints: [...attribute.value] };
    case 'float':
      return { name, type, f: attribute.value };
    case 'text':
      return { name, type, s: Buffer.from(attribute.value) };
  }
}
