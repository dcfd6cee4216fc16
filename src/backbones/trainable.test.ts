import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Graph,
  integers,
  largestDifference,
  modelFile,
  node,
  randomPhotos,
  runDirectly,
  value,
  weights,
} from '../../test/support/onnx-graphs.ts';
import { referenceDir } from '../../test/support/reference.ts';
import { gradients } from '../graph/differentiate.ts';
import { decodeModel, elementTypes, type NodeProto, type TensorProto } from '../graph/onnx-schema.ts';
import { multiply, subtract, sumAll } from '../graph/operators/index.ts';
import { initialValues, layoutOf, namedParts, parametersOf } from '../graph/parameters.ts';
import { constant, input, openLength } from '../graph/tensor.ts';
import { buildExport, buildInference } from '../graph/training-step.ts';
import { Random } from '../random.ts';
import { Engine, floats } from '../runtime/engine.ts';
import type { Model } from '../runtime/model.ts';
import type { NamedValues } from '../runtime/protocol.ts';
import { floatTensor, readSafeTensors } from '../storage/safetensors.ts';
import { openBackbone } from './backbone.ts';
import type { BackboneSettings } from './settings.ts';
import { openTrainable, type TrainableBackbone } from './trainable.ts';

const engine = Engine.start({ threads: 1 });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'courier-'));
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

async function compute(model: Model, feeds: NamedValues): Promise<NamedValues> {
  const session = await engine.load(model);
  return session.run(feeds).finally(() => session.release());
}

function exported(name: string): string {
  return fileURLToPath(new URL(`../../test/fixtures/backbones/${name}.onnx`, import.meta.url));
}

/** Features of an open number of photos with fresh parameters, or the given ones. */
function learner({ forward, frozen }: TrainableBackbone) {
  const given = input('given', 'float32', [openLength, frozen.width]);
  const features = forward(given);
  const parameters = parametersOf([features]);
  return {
    features,
    parameters,
    layout: layoutOf(parameters),
    fresh: initialValues(parameters, Random.seeded(1, 'parameters')),
  };
}

async function featuresWith(opened: TrainableBackbone, values: Float32Array, given: Float32Array) {
  const { features, layout } = learner(opened);
  const model = buildExport({ features }, layout, values, { given: 'photos', features: 'photos' });
  return floats(await compute(model, { given }), 'features');
}

function largestOf(values: ArrayLike<number>): number {
  return largestDifference(values, new Float32Array(values.length));
}

/** The class token and all others: everything that comes out, in its order. */
const allTokens = [
  { name: 'features', pool: 'class' as const },
  { name: 'features', pool: 'grid' as const },
];

const models = [
  { name: 'vit-opset13', from: 1, taps: allTokens, weights: 18 },
  { name: 'swin-opset20', from: 2, taps: ['features'], weights: 28 },
];

describe.each(models)('the last blocks of $name', ({ name, from, taps, weights: count }) => {
  const settings = () => ({ file: exported(name), taps });
  const reference = () => readSafeTensors(join(referenceDir(), `tail-${name}.safetensors`), 'Reference');

  /** Σ features · probe of the reference, and its gradients by the names of parameters. */
  async function differentiated(
    opened: TrainableBackbone,
    values: (parameter: string) => Float32Array | null,
  ) {
    const file = await reference();
    const [givenValues, probeValues] = [floatTensor(file, 'given'), floatTensor(file, 'probe')];
    const photos = givenValues.shape[0]!;
    const given = input('given', 'float32', [photos, opened.frozen.width]);
    const features = opened.forward(given);
    const probe = constant('float32', probeValues.data, features.shape);
    const parameters = parametersOf([features]);
    const layout = layoutOf(parameters);
    const vector = initialValues(parameters, Random.seeded(1, 'parameters'));
    for (const [parameter, part] of namedParts(layout, vector)) part.set(values(parameter) ?? part);
    const targets = [given, ...parameters];
    const found = gradients(sumAll(multiply(features, probe)), targets);
    const outputs = Object.fromEntries(found.map((gradient, index) => [`g${index}`, gradient]));
    const model = buildExport({ features, ...outputs }, layout, vector, {});
    const results = await compute(model, { given: givenValues.data });
    const names = ['given', ...layout.places.map((place) => place.name)];
    return {
      file,
      features: floats(results, 'features'),
      gradients: new Map(names.map((each, index) => [each, floats(results, `g${index}`)])),
    };
  }

  const inFile = (parameter: string) => parameter.replace(/^encoder\.tail\[(.*)\]/, '$1');

  it("have PyTorch's output and gradients", async () => {
    const opened = await openTrainable(settings(), { from, lora: null }, 16);
    const { file, ...found } = await differentiated(opened, () => null);
    const wanted = floatTensor(file, 'features').data;
    expect(largestDifference(found.features, wanted) / largestOf(wanted)).toBeLessThan(1e-5);
    expect(found.gradients.size).toBe(1 + count);
    for (const [parameter, gradient] of found.gradients) {
      const own = floatTensor(file, `gradient/${inFile(parameter)}`).data;
      // Those of a bias of keys are zero but for rounding.
      const scale = Math.max(largestOf(own), 1e-2);
      expect(largestDifference(gradient, own) / scale, parameter).toBeLessThan(1e-4);
    }
  });

  it("have PyTorch's output and gradients where products are changed by matrices of low rank", async () => {
    const opened = await openTrainable(settings(), { from, lora: 2 }, 16);
    const kept = await reference();
    const { file, ...found } = await differentiated(
      opened,
      (parameter) => floatTensor(kept, inFile(parameter)).data,
    );
    const wanted = floatTensor(file, 'changed').data;
    expect(largestDifference(found.features, wanted) / largestOf(wanted)).toBeLessThan(1e-5);
    found.gradients.delete('given');
    expect(found.gradients.size).toBeGreaterThan(6);
    for (const [parameter, gradient] of found.gradients) {
      expect(parameter).toMatch(/\.[ab]$/);
      const own = floatTensor(file, `gradient/${inFile(parameter)}`).data;
      expect(largestDifference(gradient, own) / largestOf(own), parameter).toBeLessThan(1e-4);
    }
  });

  it.each([null, 3])(
    'learn, and are written back into a file that gives what was learned (rank %s)',
    async (lora) => {
      const opened = await openTrainable(settings(), { from, lora }, 16);
      const photos = randomPhotos(5, 16);
      const given = floats(await compute(opened.frozen.model, { photos }), 'features');
      const { features, layout, parameters, fresh } = learner(opened);
      const random = Random.seeded(1, 'target');
      const target = constant(
        'float32',
        Float32Array.from({ length: features.shape[1]! }, () => random.normal()),
        [features.shape[1]!],
      );
      const distance = subtract(features, target);
      const loss = sumAll(multiply(distance, distance));
      const outputs = Object.fromEntries(
        gradients(loss, parameters).map((each, index) => [`g${index}`, each]),
      );
      const session = await engine.load(buildInference({ loss, ...outputs }, layout, { given: 'photos' }));
      const losses: number[] = [];
      const values = fresh.slice();
      for (let step = 0; step < 12; step++) {
        // Two photos: gradients are for as many as the graph was built for.
        const results = await session.run({
          parameters: values.slice(),
          given: given.slice(0, 2 * opened.frozen.width),
        });
        losses.push(floats(results, 'loss')[0]!);
        for (const [index, { offset, size }] of layout.places.entries()) {
          const gradient = floats(results, `g${index}`);
          const length = Math.hypot(...gradient) + 1e-6;
          for (let at = 0; at < size; at++) values[offset + at]! -= (0.1 * gradient[at]!) / length;
        }
      }
      await session.release();
      expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!);

      const learned = await featuresWith(opened, values, given);
      expect(largestDifference(learned, await featuresWith(opened, fresh, given))).toBeGreaterThan(0.1);
      const { backbone, file } = opened.trained(namedParts(layout, values));
      const scale = largestOf(learned);
      const merged = floats(await compute(backbone.model, { photos }), 'features');
      expect(largestDifference(merged, learned) / scale).toBeLessThan(1e-5);

      const written = join(folder, `${name}-${lora}.onnx`);
      const bytes = file({ told: 'by us' });
      await writeFile(written, bytes);
      const before = decodeModel(await readFile(exported(name)));
      const after = decodeModel(bytes);
      expect(after.graph.input).toEqual(before.graph.input);
      expect(after.graph.output).toEqual(before.graph.output);
      expect(after.opsetImport).toEqual(before.opsetImport);
      expect(after.metadataProps).toContainEqual({ key: 'told', value: 'by us' });
      const reopened = await openBackbone({ file: written, taps }, 16);
      const again = floats(await compute(reopened.model, { photos }), 'features');
      expect(largestDifference(again, learned) / scale).toBeLessThan(1e-5);
    },
  );
});

/** Photos of 8 pixels as a grid (n, 4, 4, 6), which is `stream`, and what comes of it. */
function netOf(
  behind: readonly NodeProto[],
  more: readonly TensorProto[] = [],
  { batch = 'n' as number | string, opset = 18 } = {},
): Uint8Array<ArrayBuffer> {
  const graph: Graph = {
    input: [value('image', [batch, 3, 8, 8])],
    node: [
      node('Conv', ['image', 'filters'], ['patches'], { strides: [2, 2] }),
      node('Transpose', ['patches'], ['stream'], { perm: [0, 2, 3, 1] }),
      ...behind,
    ],
    initializer: [weights('filters', [6, 3, 2, 2]), weights('scale', [6]), ...more],
    output: [{ name: 'out', type: { tensorType: { elemType: elementTypes.float32 } } }],
  };
  return modelFile(graph, opset);
}

let files = 0;
async function openNet(
  bytes: Uint8Array,
  fineTune: { from: string | number; lora: number | null },
  settings: Partial<BackboneSettings> = {},
): Promise<{ opened: TrainableBackbone; file: string }> {
  const file = join(folder, `net-${files++}.onnx`);
  await writeFile(file, bytes);
  return { opened: await openTrainable({ file, ...settings }, fineTune, 8), file };
}

const scaled = node('Mul', ['stream', 'scale'], ['scaled']);

/** What a tail may be made of, each from `scaled` (n, 4, 4, 6) to `out`. */
const operators: Record<
  string,
  readonly [nodes: readonly NodeProto[], more?: readonly TensorProto[], opset?: number]
> = {
  'a window that moves': [
    [
      node('Slice', ['scaled', 'one', 'end', 'one'], ['below']),
      node('Slice', ['scaled', 'zero', 'one', 'one'], ['above']),
      node('Concat', ['below', 'above'], ['out'], { axis: 1 }),
    ],
    [integers('zero', [0]), integers('one', [1]), integers('end', [2 ** 31])],
  ],
  'every other place': [
    [node('Slice', ['scaled', 'starts', 'ends', 'axes', 'steps'], ['out'])],
    [
      integers('starts', [1, 0]),
      integers('ends', [9, 9]),
      integers('axes', [1, 2]),
      integers('steps', [2, 2]),
    ],
  ],
  'places in reverse': [
    [node('Slice', ['scaled', 'starts', 'ends', 'axes', 'steps'], ['out'])],
    [integers('starts', [-1]), integers('ends', [-99]), integers('axes', [2]), integers('steps', [-1])],
  ],
  'single places, and several in any order': [
    [
      node('Gather', ['scaled', 'order'], ['some'], { axis: 2 }),
      node('Gather', ['some', 'last'], ['column'], { axis: 2 }),
      node('Squeeze', ['column', 'two'], ['out']),
    ],
    [integers('order', [3, 0, 0]), integers('last', [-1]), integers('two', [2])],
  ],
  'parts, and zeros around': [
    [
      node('Split', ['scaled', 'lengths'], ['left', 'right'], { axis: 3 }),
      node('Pad', ['right', 'pads'], ['wide']),
      node('Relu', ['wide'], ['out']),
    ],
    [integers('lengths', [2, 4]), integers('pads', [0, 1, 0, 0, 0, 1, 2, 0])],
  ],
  'equal parts of an older opset': [
    [node('Split', ['scaled'], ['left', 'right'], { axis: 3 }), node('Mul', ['left', 'right'], ['out'])],
    [],
    11,
  ],
  'tokens whose number the graph computes, with something first for each photo': [
    [
      node('Shape', ['scaled'], ['shape']),
      node('Gather', ['shape', 'zero'], ['photos']),
      node('Concat', ['photos', 'open'], ['tokens'], { axis: 0 }),
      node('Reshape', ['scaled', 'tokens'], ['flat']),
      node('Concat', ['photos', 'one', 'six'], ['single'], { axis: 0 }),
      node('Expand', ['first', 'single'], ['firsts']),
      node('Concat', ['firsts', 'flat'], ['out'], { axis: 1 }),
    ],
    [
      ...[integers('zero', [0]), integers('one', [1]), integers('six', [6]), integers('open', [-1, 6])],
      weights('first', [1, 1, 6]),
    ],
  ],
  'photos that do not lead for a while': [
    [
      node('Reshape', ['scaled', 'tokens'], ['flat']),
      node('Transpose', ['flat'], ['turned'], { perm: [1, 0, 2] }),
      node('Shape', ['turned'], ['shape']),
      node('Gather', ['shape', 'one'], ['photos']),
      node('Mul', ['photos', 'two'], ['twice']),
      node('Concat', ['sixteen', 'twice', 'three'], ['apart'], { axis: 0 }),
      node('Reshape', ['turned', 'apart'], ['heads']),
      node('Softmax', ['heads'], ['soft'], { axis: 0 }),
      node('Reshape', ['soft', 'joined'], ['together']),
      node('Transpose', ['together'], ['out'], { perm: [1, 0, 2] }),
    ],
    [
      ...[integers('tokens', [0, 16, 6]), integers('one', [1]), integers('two', [2]), integers('three', [3])],
      ...[integers('sixteen', [16]), integers('joined', [16, -1, 6])],
    ],
  ],
  'means, lengths and limits': [
    [
      node('ReduceMean', ['scaled', 'places'], ['mean'], { keepdims: 0 }),
      node('ReduceL2', ['mean', 'last'], ['length'], { keepdims: 1 }),
      node('Clip', ['length', 'least'], ['some']),
      node('Div', ['mean', 'some'], ['out']),
    ],
    [
      ...[integers('places', [1, 2]), integers('last', [-1])],
      {
        name: 'least',
        dims: [],
        dataType: elementTypes.float32,
        rawData: new Uint8Array(Float32Array.of(0.1).buffer),
      },
    ],
  ],
  'bends of many kinds': [
    [
      node('HardSwish', ['scaled'], ['a']),
      node('Tanh', ['a'], ['b']),
      node('Gelu', ['b'], ['c'], { approximate: 'tanh' }),
      node('Sigmoid', ['c'], ['d']),
      node('Softplus', ['d'], ['e']),
      node('HardSigmoid', ['e'], ['f']),
      node('Erf', ['f'], ['g']),
      node('Max', ['g', 'a'], ['h']),
      node('Min', ['h', 'd'], ['out']),
    ],
    [],
    20,
  ],
  'a product of a kind that classifiers end with': [
    [
      node('Transpose', ['scaled'], ['channels'], { perm: [0, 3, 1, 2] }),
      node('GlobalAveragePool', ['channels'], ['pooled']),
      node('Flatten', ['pooled'], ['flat']),
      node('Gemm', ['flat', 'matrix', 'shift'], ['out'], { transB: 1, alpha: { float: 0.5 } }),
    ],
    [weights('matrix', [5, 6]), weights('shift', [5])],
  ],
  'a convolution that cuts patches': [
    [
      node('Transpose', ['scaled'], ['channels'], { perm: [0, 3, 1, 2] }),
      node('Conv', ['channels', 'kernel', 'bias'], ['out'], { strides: [2, 2] }),
    ],
    [weights('kernel', [5, 6, 2, 2]), weights('bias', [5])],
  ],
  'scores that a mask hides': [
    [
      node('MatMul', ['scaled', 'matrix'], ['scores']),
      node('Where', ['mask', 'scores', 'hidden'], ['left']),
      node('Softmax', ['left'], ['out'], { axis: 3 }),
    ],
    [
      weights('matrix', [6, 4]),
      {
        name: 'mask',
        dims: [4, 4],
        dataType: elementTypes.bool,
        rawData: Uint8Array.of(1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 1),
      },
      {
        name: 'hidden',
        dims: [],
        dataType: elementTypes.float32,
        rawData: new Uint8Array(Float32Array.of(-Infinity).buffer),
      },
    ],
  ],
};

describe('a part that is read', () => {
  it.each(Object.entries(operators))(
    'gives what the file gives of any number of photos: %s',
    async (_, [behind, more = [], opset]) => {
      const { opened, file } = await openNet(netOf([scaled, ...behind], more, { ...(opset && { opset }) }), {
        from: 'stream',
        lora: null,
      });
      const photos = randomPhotos(3, 8);
      const whole = await openBackbone({ file }, 8);
      const wanted = floats(await compute(whole.model, { photos }), 'features');
      const given = floats(await compute(opened.frozen.model, { photos }), 'features');
      const found = await featuresWith(opened, learner(opened).fresh, given);
      expect(largestDifference(found, wanted) / largestOf(wanted)).toBeLessThan(1e-5);
    },
  );

  it('trains no mask, and no weight of which a shape or a constant is made', async () => {
    const mask = Float32Array.from({ length: 6 }, (_, at) => (at % 2 === 0 ? 0 : -100));
    const bytes = netOf(
      [
        scaled,
        node('Sin', ['waves'], ['waved']),
        node('Add', ['scaled', 'waved'], ['shifted']),
        node('Add', ['shifted', 'mask'], ['scores']),
        node('Softmax', ['scores'], ['out'], { axis: 3 }),
      ],
      [
        weights('waves', [6]),
        { name: 'mask', dims: [6], dataType: elementTypes.float32, rawData: new Uint8Array(mask.buffer) },
      ],
    );
    const { opened } = await openNet(bytes, { from: 'stream', lora: null });
    expect(learner(opened).layout.places.map(({ name }) => name)).toEqual(['encoder.tail[scale]']);
  });

  it('gets a weight of its own where what stays frozen has the same', async () => {
    const bytes = netOf(
      [
        node('MatMul', ['stream', 'matrix'], ['first']),
        node('MatMul', ['first', 'matrix'], ['second']),
        node('ReduceMean', ['second'], ['out'], { axes: [1, 2], keepdims: 0 }),
      ],
      [weights('matrix', [6, 6])],
      { opset: 17 },
    );
    const { opened } = await openNet(bytes, { from: 'first', lora: null });
    const { layout, fresh } = learner(opened);
    const doubled = fresh.map((each) => 2 * each);
    const learned = opened.trained(namedParts(layout, doubled)).file({});
    const image = { shape: [1, 3, 8, 8], data: Float32Array.from({ length: 192 }, (_, at) => Math.sin(at)) };
    const [before, after] = [await runDirectly(bytes, { image }), await runDirectly(learned, { image })];
    // Twice, not four times.
    expect(
      largestDifference(
        after['out']!.data,
        before['out']!.data.map((each) => 2 * each),
      ),
    ).toBeLessThan(1e-5);
  });
});

it('trains no weight of which something is made that the frozen part takes', async () => {
  const bytes = netOf(
    [
      node('Transpose', ['matrix'], ['turned'], { perm: [1, 0] }),
      node('MatMul', ['stream', 'turned'], ['first']),
      node('MatMul', ['first', 'turned'], ['second']),
      node('Mul', ['second', 'scale'], ['out']),
    ],
    [weights('matrix', [6, 6])],
  );
  const { opened } = await openNet(bytes, { from: 'first', lora: null });
  expect(learner(opened).layout.places.map(({ name }) => name)).toEqual(['encoder.tail[scale]']);
});

describe('a part that cannot be trained', () => {
  const matrix = weights('matrix', [6, 6]);
  const attention = [
    node('MatMul', ['stream', 'matrix'], ['scores']),
    node('Softmax', ['scores'], ['attended'], { axis: 3 }),
    node('Add', ['attended', 'stream'], ['out']),
  ];

  it.each<[string, Uint8Array, string | number, RegExp]>([
    [
      'an operator without a derivative, which is named',
      netOf([scaled, { ...node('Sin', ['scaled'], ['out']), name: 'wave' }]),
      'stream',
      /"wave" \(Sin\) cannot be trained through: it is no operator with a known derivative\..*fineTune\.from/s,
    ],
    [
      'an operator of another house',
      netOf([scaled, { ...node('Gelu', ['scaled'], ['out']), domain: 'com.microsoft' }], [], {}),
      'stream',
      /\(com\.microsoft\.Gelu\)|asks|opset|domain/,
    ],
    [
      'a convolution that does more than cut patches',
      netOf(
        [
          node('Transpose', ['stream'], ['channels'], { perm: [0, 3, 1, 2] }),
          node('Conv', ['channels', 'kernel'], ['out'], { pads: [1, 1, 1, 1] }),
        ],
        [weights('kernel', [6, 6, 3, 3])],
      ),
      'stream',
      /\(Conv\) cannot be trained through: it is a convolution that does more/,
    ],
    [
      'a tensor that is not there',
      netOf(attention, [matrix]),
      'streem',
      /no tensor "streem".*begin with stream/,
    ],
    [
      'a tensor that something goes past',
      netOf(attention, [matrix]),
      'attended',
      /not everything.*"attended"/,
    ],
    ['more blocks than there are', netOf(attention, [matrix]), 2, /it has 1 blocks with attention/],
    [
      'nothing that learns',
      netOf([node('Relu', ['stream'], ['out'])]),
      'stream',
      /no weights behind the cut/,
    ],
    [
      'an axis over which photos are mixed',
      netOf(
        [scaled, node('ReduceMean', ['scaled', 'first'], ['mean']), node('Sub', ['scaled', 'mean'], ['out'])],
        [integers('first', [0])],
      ),
      'stream',
      /goes over several photos|one after the other/,
    ],
    [
      'a file for one photo at a time',
      netOf([scaled, node('Reshape', ['scaled', 'flat'], ['out'])], [integers('flat', [1, 96])], {
        batch: 1,
      }),
      'stream',
      /one after the other.*dynamic batch/s,
    ],
  ])('is refused with the reason: %s', async (_, bytes, from, message) => {
    const error = await openNet(bytes, { from, lora: null }).then(
      () => 'it was opened',
      (thrown: unknown) => thrown,
    );
    const text = error instanceof Error ? `${error.message} ${'remedy' in error ? error.remedy : ''}` : error;
    expect(text).toMatch(message);
  });

  it('is refused before it is computed where a constant is too large for any memory', async () => {
    const bytes = netOf(
      [
        scaled,
        node('Expand', ['scaled', 'huge'], ['large']),
        node('ReduceMean', ['large', 'first'], ['out'], { keepdims: 0 }),
      ],
      [integers('huge', [2 ** 20, 1, 1, 1, 1]), integers('first', [0])],
    );
    await expect(openNet(bytes, { from: 'stream', lora: null })).rejects.toMatchObject({
      code: expect.stringMatching(/FILE_CORRUPT|CONFIG_INVALID/),
    });
  });
});
