/**
 * Graphs of older opsets in the operators of a newer one, version by version, after the changelog of ONNX's operators:
 * only what means something else since, or is written in another way. What only takes more types or has more attributes
 * stays as it is.
 */
import type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  ModelProto,
  NodeProto,
} from '../graph/onnx-schema.ts';
import { BackboneFault } from './errors.ts';
import {
  attributeOf,
  attributes,
  domainOf,
  floatNode,
  floatsNode,
  integersNode,
  opsetOf,
  withGraphs,
} from './nodes.ts';

/** Older ones broadcast in another way. */
const oldest = 7;

/** A node of the version before, as nodes of this one. @throws BackboneFault when that cannot be said */
type Change = (node: NodeProto) => readonly NodeProto[];

/**
 * The model in operators of `version`, its functions included.
 * @throws BackboneFault naming the operator that cannot be written in it
 */
export function upgrade(model: ModelProto, version: number): ModelProto {
  const from = opsetOf(model);
  const functions = (model.functions ?? []).map((each) => upgradedFunction(each, version));
  const graph = upgradedGraph(model.graph, from, version);
  return { ...model, graph, functions, opsetImport: withOpset(model, version) };
}

function upgradedFunction(func: FunctionProto, version: number): FunctionProto {
  const node = upgradedNodes(func.node, opsetOf(func), version);
  return { ...func, node, opsetImport: withOpset(func, version) };
}

function withOpset({ opsetImport = [] }: Pick<ModelProto, 'opsetImport'>, version: number) {
  return [{ domain: '', version }, ...opsetImport.filter((each) => domainOf(each) !== '')];
}

function upgradedGraph(graph: GraphProto, from: number, to: number): GraphProto {
  return { ...graph, node: upgradedNodes(graph.node, from, to) };
}

function upgradedNodes(nodes: readonly NodeProto[], from: number, to: number): readonly NodeProto[] {
  if (from < oldest) {
    const remedy = `Export the model again with opset ${to}.`;
    throw new BackboneFault(`it is of opset ${from}; the oldest that can be used is ${oldest}.`, remedy);
  }
  let changed = nodes.map((node) => withGraphs(node, (graph) => upgradedGraph(graph, from, to)));
  for (let version = from + 1; version <= to; version++) {
    const changes = changesOf[version];
    if (changes === undefined) continue;
    changed = changed.flatMap((node) => {
      const change = domainOf(node) === '' ? changes[node.opType] : undefined;
      return change === undefined ? [node] : change(node);
    });
  }
  return changed;
}

function refused({ opType, output }: NodeProto, why: string, version: number): BackboneFault {
  const problem = `its ${opType} ${JSON.stringify(output[0] ?? '')} ${why}, which has no like since opset ${version}.`;
  return new BackboneFault(problem, `Export the model again with opset ${version} or newer.`);
}

function withoutAttributes(node: NodeProto, names: readonly string[]): NodeProto {
  return { ...node, attribute: (node.attribute ?? []).filter(({ name = '' }) => !names.includes(name)) };
}

function withAttribute(node: NodeProto, attribute: AttributeProto): NodeProto {
  const rest = withoutAttributes(node, [attribute.name ?? '']);
  return { ...rest, attribute: [...(rest.attribute ?? []), attribute] };
}

/** Lists that were attributes and are inputs since, in the order of the inputs. */
function listsAsInputs(names: readonly string[], version: number): Change {
  return (node) => {
    const constants: NodeProto[] = [];
    const inputs = names.map((name) => {
      const attribute = attributeOf(node, name);
      if (attribute === undefined) return '';
      if (attribute.refAttrName) throw refused(node, `takes ${name} from a function`, version);
      const constant = `${node.output[0]}/${name}`;
      constants.push(integersNode(constant, attribute.ints ?? []));
      return constant;
    });
    const input = withoutTrailing([...node.input, ...inputs]);
    return [...constants, { ...withoutAttributes(node, names), input }];
  };
}

/** Optional inputs at the end are left out, not left empty. */
function withoutTrailing(inputs: readonly string[]): readonly string[] {
  return inputs.slice(0, inputs.findLastIndex((name) => name !== '') + 1);
}

/** Numbers that were attributes and are inputs since. */
const clipInputs: Change = (node) => {
  const constants: NodeProto[] = [];
  const limits = ['min', 'max'].map((name) => {
    const limit = attributeOf(node, name);
    if (limit === undefined) return '';
    const constant = `${node.output[0]}/${name}`;
    constants.push(floatNode(constant, limit.f ?? 0));
    return constant;
  });
  const input = withoutTrailing([...node.input, ...limits]);
  return [...constants, { ...withoutAttributes(node, ['min', 'max']), input }];
};

const padInputs: Change = (node) => {
  const [name, value] = [`${node.output[0]}/pads`, `${node.output[0]}/value`];
  const pads = integersNode(name, attributeOf(node, 'pads')?.ints ?? []);
  const filling = floatNode(value, attributeOf(node, 'value')?.f ?? 0);
  const input = [...node.input, name, value];
  return [pads, filling, { ...withoutAttributes(node, ['pads', 'value']), input }];
};

const scalesInput: Change = (node) => {
  const name = `${node.output[0]}/scales`;
  const scales = floatsNode(name, attributeOf(node, 'scales')?.floats ?? []);
  return [scales, { ...withoutAttributes(node, ['scales']), input: [...node.input, name] }];
};

const countInput: Change = (node) => {
  const name = `${node.output[0]}/k`;
  const count = integersNode(name, [attributeOf(node, 'k')?.i ?? 0]);
  return [count, { ...withoutAttributes(node, ['k']), input: [...node.input, name] }];
};

/** Resize had no choice of coordinates before: it did what is `asymmetric` now. */
const resizeCoordinates: Change = (node) => {
  const [x = '', scales = ''] = node.input;
  const mode = withAttribute(node, attributes.text('coordinate_transformation_mode', 'asymmetric'));
  return [{ ...withAttribute(mode, attributes.text('nearest_mode', 'floor')), input: [x, '', scales] }];
};

/** Where sizes are given, exporters gave empty scales besides; now only one of both may be there. */
const resizeSizes: Change = (node) => {
  const [x = '', roi = '', , sizes = ''] = node.input;
  return [sizes === '' ? node : { ...node, input: [x, roi, '', sizes] }];
};

const resizeModes: Change = (node) => {
  const mode = Buffer.from(attributeOf(node, 'coordinate_transformation_mode')?.s ?? []).toString();
  if (mode === 'tf_half_pixel_for_nn') throw refused(node, `counts pixels as ${mode}`, 13);
  return [node];
};

/**
 * It was taken over all axes from one on, by default the second, and is taken over one axis now, by default the last.
 * Those of the last axis, counted from the end, mean the same; for others, the axes are one for a while.
 */
const alongOneAxis: Change = (node) => {
  const axis = attributeOf(node, 'axis');
  if (axis?.refAttrName) throw refused(node, 'takes its axis from a function', 13);
  if (axis?.i === -1) return [node];
  const [x = ''] = node.input;
  const [y = ''] = node.output;
  const [shape, flat, result] = [`${y}/shape`, `${y}/flat`, `${y}/result`];
  return [
    { opType: 'Shape', input: [x], output: [shape] },
    {
      opType: 'Flatten',
      input: [x],
      output: [flat],
      attribute: [attributes.int('axis', axis === undefined ? 1 : (axis.i ?? 0))],
    },
    { ...withAttribute(node, attributes.int('axis', -1)), input: [flat], output: [result] },
    { opType: 'Reshape', input: [result, shape], output: [y] },
  ];
};

/** Before, equal parts were asked for by leaving out the lengths. */
const partsCounted: Change = (node) => {
  if ((node.input[1] ?? '') !== '') return [node];
  const counted = withAttribute(node, attributes.int('num_outputs', node.output.length));
  return [{ ...counted, input: node.input.slice(0, 1) }];
};

const spatialOnly: Change = (node) => {
  if (isZero(attributeOf(node, 'spatial'))) throw refused(node, 'normalises each place of its own', 9);
  return [withoutAttributes(node, ['spatial'])];
};

/** A number that is 0 is not written at all. */
function isZero(attribute: AttributeProto | undefined): boolean {
  return attribute !== undefined && (attribute.i ?? 0) === 0;
}

/** In use it has one output; what training wrote to the others is not there. */
const oneOutput: Change = (node) => [{ ...node, output: node.output.slice(0, 1) }];

const renamedMode: Change = (node) => {
  const before = Buffer.from(attributeOf(node, 'mode')?.s ?? 'bilinear').toString();
  const now = { bilinear: 'linear', bicubic: 'cubic' }[before] ?? before;
  return [withAttribute(node, attributes.text('mode', now))];
};

const regionCoordinates: Change = (node) => [
  withAttribute(node, attributes.text('coordinate_transformation_mode', 'output_half_pixel')),
];

const renamed =
  (opType: string): Change =>
  (node) => [{ ...node, opType }];

const impossible =
  (why: string, version: number): Change =>
  (node) => {
    throw refused(node, why, version);
  };

const axesAsInput = (version: number) => listsAsInputs(['axes'], version);

/** What changed in a version, by operator. */
const changesOf: Readonly<Record<number, Readonly<Record<string, Change>>>> = {
  9: {
    BatchNormalization: spatialOnly,
    Upsample: scalesInput,
    Scan: impossible('is written in the old way', 9),
  },
  10: {
    Slice: listsAsInputs(['starts', 'ends', 'axes'], 10),
    TopK: countInput,
    Upsample: renamed('Resize'),
  },
  11: { Clip: clipInputs, Pad: padInputs, Resize: resizeCoordinates, Scatter: renamed('ScatterElements') },
  12: { Dropout: (node) => [withoutAttributes(node, ['ratio'])] },
  13: {
    Hardmax: alongOneAxis,
    LogSoftmax: alongOneAxis,
    ReduceSum: axesAsInput(13),
    Resize: resizeModes,
    Softmax: alongOneAxis,
    Split: listsAsInputs(['split'], 13),
    Squeeze: axesAsInput(13),
    Unsqueeze: axesAsInput(13),
  },
  14: { BatchNormalization: oneOutput },
  16: { RoiAlign: regionCoordinates },
  18: {
    ReduceL1: axesAsInput(18),
    ReduceL2: axesAsInput(18),
    ReduceLogSum: axesAsInput(18),
    ReduceLogSumExp: axesAsInput(18),
    ReduceMax: axesAsInput(18),
    ReduceMean: axesAsInput(18),
    ReduceMin: axesAsInput(18),
    ReduceProd: axesAsInput(18),
    ReduceSumSquare: axesAsInput(18),
    Resize: resizeSizes,
    Split: partsCounted,
  },
  20: { DFT: impossible('has its axis as an attribute', 20), GridSample: renamedMode },
  21: { GroupNormalization: impossible('scales groups', 21) },
};
