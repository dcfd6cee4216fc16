import { describe, expect, it } from 'vitest';
import {
  type Graph,
  integers,
  modelFile,
  node,
  runDirectly,
  value,
  weights,
} from '../../test/support/onnx-graphs.ts';
import { decodeModel, encodeModel, type NodeProto } from '../graph/onnx-schema.ts';
import { Random } from '../random.ts';
import { upgrade } from './opsets.ts';

const random = Random.seeded(1, 'x');
const shape = [2, 3, 4, 4];
const data = Float32Array.from({ length: 96 }, () => random.normal());

function graphOf(nodes: readonly NodeProto[], initializer: Graph['initializer'] = []): Graph {
  return {
    input: [value('x', shape)],
    node: nodes,
    initializer,
    output: [{ ...value('y', []), type: { tensorType: { elemType: 1 } } }],
  };
}

function ofOne(
  opset: number,
  opType: string,
  attributes: Parameters<typeof node>[3] = {},
  inputs: string[] = [],
  initializer: Graph['initializer'] = [],
  outputs: string[] = [],
) {
  return [
    opset,
    opType,
    JSON.stringify(attributes),
    graphOf([node(opType, ['x', ...inputs], ['y', ...outputs], attributes)], initializer),
  ] as const;
}

const scales = { ...weights('scales', [4]), rawData: new Uint8Array(Float32Array.of(1, 1, 2, 2).buffer) };
const none = { ...weights('none', [0]), rawData: new Uint8Array() };
const moments = ['scale', 'bias', 'mean'].map((name) => weights(name, [3]));
const variance = { ...weights('variance', [3]), rawData: new Uint8Array(Float32Array.of(1, 2, 3).buffer) };
const reductions = ['L1', 'L2', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare'];

const cases = [
  ...reductions.map((name) => ofOne(11, `Reduce${name}`, { axes: [1, -1], keepdims: 0 })),
  ofOne(13, 'ReduceMean'),
  ofOne(11, 'Softmax'),
  ofOne(11, 'Softmax', { axis: 0 }),
  ofOne(11, 'Softmax', { axis: 2 }),
  ofOne(11, 'LogSoftmax', { axis: -1 }),
  ofOne(11, 'Hardmax', { axis: 3 }),
  ofOne(11, 'Unsqueeze', { axes: [0, 2] }),
  ofOne(9, 'Split', { axis: 1, split: [1, 2] }, [], [], ['z']),
  ofOne(13, 'Split', { axis: 0 }, [], [], ['z']),
  ofOne(7, 'Clip', { min: { float: -0.5 } }),
  ofOne(10, 'Clip', { min: { float: 0 }, max: { float: 1 } }),
  ofOne(9, 'Pad', { pads: [0, 0, 1, 2, 0, 0, 0, 1], value: { float: 0.5 } }),
  ofOne(10, 'Pad', { pads: [0, 0, 1, 2, 0, 0, 0, 1], mode: 'reflect' }),
  ofOne(9, 'Slice', { starts: [1, 0], ends: [3, 2 ** 63], axes: [2, 3] }),
  ofOne(10, 'Dropout', { ratio: { float: 0.3 } }),
  ofOne(7, 'BatchNormalization', {}, ['scale', 'bias', 'mean', 'variance'], [...moments, variance]),
  ofOne(9, 'Upsample', { mode: 'linear' }, ['scales'], [scales]),
  ofOne(9, 'Upsample', {}, ['scales'], [scales]),
  ofOne(11, 'Resize', { mode: 'linear' }, ['none', 'none', 'sizes'], [none, integers('sizes', [2, 3, 6, 7])]),
];

describe('an operator of an older opset', () => {
  it.each(cases)('gives the same in opset 21: of %i, %s %s', async (opset, _, __, graph) => {
    const bytes = modelFile(graph, opset);
    const feeds = { x: { shape, data } };
    const before = await runDirectly(bytes, feeds);
    const after = await runDirectly(encodeModel(upgrade(decodeModel(bytes), 21)), feeds);
    expect(after).toEqual(before);
    expect(before['y']?.data.some((each) => each !== 0)).toBe(true);
  });

  it('is upgraded inside the branches of others too', async () => {
    const squeeze = [node('ReduceMean', ['x'], ['inner'], { axes: [1] })];
    const branch = {
      name: 'branch',
      node: squeeze,
      output: [value('inner', [2, 1, 4, 4])],
      input: [],
      initializer: [],
    };
    const attribute = ['then_branch', 'else_branch'].map((name) => ({ name, type: 5, g: branch }));
    const condition = { name: 'condition', dims: [], dataType: 9, rawData: Uint8Array.of(1) };
    const bytes = modelFile(graphOf([{ ...node('If', ['condition'], ['y']), attribute }], [condition]), 13);
    const feeds = { x: { shape, data } };
    const after = await runDirectly(encodeModel(upgrade(decodeModel(bytes), 21)), feeds);
    expect(after).toEqual(await runDirectly(bytes, feeds));
  });

  it('that has no like is refused, and named', () => {
    const groups = decodeModel(modelFile(graphOf([node('GroupNormalization', ['x', 's', 'b'], ['y'])]), 18));
    expect(() => upgrade(groups, 21)).toThrow('its GroupNormalization "y" scales groups');
    expect(() => upgrade(decodeModel(modelFile(graphOf([]), 6)), 21)).toThrow('it is of opset 6');
  });
});
