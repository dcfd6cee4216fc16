/** The part of a graph that computes taps from photos, between tensors of our own names. */
import {
  attributeTypes,
  type Dimension,
  elementTypes,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from '../graph/onnx-schema.ts';
import { BackboneFault, wrongSetting } from './errors.ts';
import { attributes, graphsIn, integersNode, nodesIn, opsetOf, renamed } from './nodes.ts';
import { upgrade } from './opsets.ts';
import type { PhotoInput } from './photo-input.ts';
import type { Preprocessing } from './preprocessing.ts';
import { tapName } from './taps.ts';

const photosAxis = 'photos';

/** The outputs that depend on the photos alone; those of floats where the graph tells. */
export function outputsOf({ graph }: ModelProto, { name: photos }: PhotoInput): readonly string[] {
  const others = new Set(inputsOf(graph).filter((name) => name !== photos));
  return graph.output
    .filter(({ type }) => floats.has(type?.tensorType?.elemType ?? elementTypes.float32))
    .map(({ name }) => name)
    .filter((name) => {
      const { names } = needed(graph, [name]);
      return names.has(photos) && ![...names].some((each) => others.has(each));
    });
}

/** TensorProto.DataType of float32, float16, float64 and bfloat16. */
const floats = new Set<number>([elementTypes.float32, 10, 11, 16]);

function inputsOf({ input, initializer }: GraphProto): readonly string[] {
  const constants = new Set(initializer.map(({ name }) => name));
  return input.map(({ name }) => name).filter((name) => !constants.has(name));
}

/** The nodes that tensors depend on, in whatever order they are, and the names of all that these take. */
function needed({ node }: GraphProto, wanted: readonly string[]) {
  const producers = new Map(node.flatMap((each) => each.output.map((name) => [name, each] as const)));
  producers.delete('');
  const names = new Set(wanted);
  const kept = new Set<NodeProto>();
  // What is added to a set while it is gone through is gone through too.
  for (const name of names) {
    const producer = producers.get(name);
    if (producer === undefined || kept.has(producer)) continue;
    kept.add(producer);
    for (const taken of namesTaken(producer)) names.add(taken);
  }
  return { node: node.filter((each) => kept.has(each)), names };
}

/** What a node takes, and what the graphs inside it may take from around them. */
export function namesTaken(node: NodeProto): readonly string[] {
  const inside = graphsIn(node).flatMap((graph) => [
    ...nodesIn(graph.node).flatMap(({ input }) => input),
    ...graph.output.map(({ name }) => name),
  ]);
  return [...node.input, ...inside];
}

/** A tensor that the last layer takes, where a tap is what a product gives: its features, if it is a classifier. */
export function tensorBefore({ graph }: ModelProto, name: string): string | undefined {
  const producer = (wanted: string) => graph.node.find(({ output }) => output.includes(wanted));
  const last = producer(name);
  const product =
    last?.opType === 'Add' ? last.input.map(producer).find((node) => node?.opType === 'MatMul') : last;
  return product !== undefined && ['Gemm', 'MatMul'].includes(product.opType) ? product.input[0] : undefined;
}

/**
 * The model from `pixels` (n, …) to `tap0`, `tap1` … float32 (n, …): nothing but what they need, photos along an open
 * axis.
 * @throws BackboneFault where a tap is not there, or takes more than photos
 */
export function coreOf(
  model: ModelProto,
  photos: PhotoInput,
  { side, layout }: Preprocessing,
  taps: readonly string[],
): ModelProto {
  const { graph } = model;
  const { node, names } = needed(graph, taps);
  const given = new Set([...node.flatMap(({ output }) => output)]);
  for (const tap of taps) {
    if (!given.has(tap)) throw noTap(graph, tap);
  }
  const others = inputsOf(graph).filter((name) => name !== photos.name && names.has(name));
  if (others.length > 0 || !names.has(photos.name)) {
    const problem =
      others.length > 0
        ? `its taps take ${others.join(', ')} besides photos.`
        : 'its taps depend on no photos.';
    throw new BackboneFault(
      problem,
      'Name other tensors in `taps`, or export the part of the model that takes images.',
    );
  }
  const castTo = (input: string, output: string, type: number): NodeProto => ({
    opType: 'Cast',
    input: [input],
    output: [output],
    attribute: [attributes.int('to', type)],
  });
  const lengths = layout === 'nchw' ? [3, side, side] : [side, side, 3];
  const dim = [{ dimParam: photosAxis }, ...lengths.map((dimValue) => ({ dimValue }))];
  const elementType = photos.isBytes ? elementTypes.uint8 : elementTypes.float32;
  const own = (name: string) => (name === '' ? '' : `file/${name}`);
  const initializer = graph.initializer.filter(({ name }) => names.has(name));
  const inner = renamed({ ...graph, node, initializer, input: [], output: [] }, own);
  return {
    ...model,
    graph: {
      node: [
        castTo('pixels', own(photos.name), photos.elementType),
        ...inner.node,
        ...taps.map((tap, index) => castTo(own(tap), tapName(index), elementTypes.float32)),
      ],
      initializer: inner.initializer,
      input: [valueInfo('pixels', elementType, dim)],
      output: taps.map((_, index) => valueInfo(tapName(index), elementTypes.float32)),
    },
  };
}

function noTap(graph: GraphProto, tap: string): BackboneFault {
  const outputs = graph.output.map(({ name }) => name).join(', ');
  const near = graph.node.flatMap(({ output }) => output).filter((name) => name.includes(tap));
  const like = near.length > 0 ? ` Like it are ${near.slice(-5).join(', ')}.` : '';
  return wrongSetting(`it computes no tensor ${JSON.stringify(tap)}; its outputs are ${outputs}.${like}`);
}

function valueInfo(name: string, elemType: number, dim?: readonly Dimension[]): ValueInfoProto {
  return { name, type: { tensorType: { elemType, ...(dim !== undefined && { shape: { dim } }) } } };
}

/** The same with the shapes of the taps as further outputs `shape0`, `shape1` … int64. */
export function withShapes(core: ModelProto): ModelProto {
  const { graph } = core;
  const shapes = graph.output.map(
    ({ name }, index): NodeProto => ({
      opType: 'Shape',
      input: [name],
      output: [shapeName(index)],
    }),
  );
  const output = shapes.map((_, index) => valueInfo(shapeName(index), elementTypes.int64));
  return {
    ...core,
    graph: { ...graph, node: [...graph.node, ...shapes], output: [...graph.output, ...output] },
  };
}

export function shapeName(index: number): string {
  return `shape${index}`;
}

/**
 * The same model that computes photos one after the other: for graphs that take one at a time, or that give a photo other
 * numbers in other company.
 */
export function oneByOne(core: ModelProto): ModelProto {
  const { graph, ...rest } = upgrade(core, Math.max(opsetOf(core), axesAreInputs));
  const [pixels] = graph.input;
  const { elemType, shape } = pixels?.type?.tensorType ?? {};
  if (pixels === undefined || elemType === undefined) throw new Error('a core takes pixels');
  const own = (name: string) => (name === '' ? '' : `photo/${name}`);
  const inner = renamed(graph, own);
  const [photo, first] = ['photo', 'first'];
  const body: GraphProto = {
    name: 'photo',
    node: [
      integersNode(first, [0]),
      { opType: 'Unsqueeze', input: [photo, first], output: [own(pixels.name)] },
      ...inner.node,
      ...inner.output.map(
        ({ name }): NodeProto => ({ opType: 'Squeeze', input: [name, first], output: [`${name}/one`] }),
      ),
    ],
    initializer: inner.initializer,
    input: [valueInfo(photo, elemType, shape?.dim.slice(1))],
    output: inner.output.map(({ name }) => valueInfo(`${name}/one`, elementTypes.float32)),
  };
  const scan: NodeProto = {
    opType: 'Scan',
    input: [pixels.name],
    output: graph.output.map(({ name }) => name),
    attribute: [{ name: 'body', type: attributeTypes.graph, g: body }, attributes.int('num_scan_inputs', 1)],
  };
  return { ...rest, graph: { ...graph, node: [scan], initializer: [] } };
}

/** Of operators such as Squeeze, since this opset. */
const axesAreInputs = 13;
