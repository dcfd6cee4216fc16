import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
import { temporaryFolder } from '../../test/support/temporary.ts';
import { encoderFileOf } from '../encoders/file.ts';
import { buildModel } from '../graph/onnx.ts';
import { decodeModel } from '../graph/onnx-schema.ts';
import { l2Normalize, linear } from '../graph/operators/index.ts';
import { constant, input, openLength } from '../graph/tensor.ts';
import { Random } from '../random.ts';
import { Engine, floats } from '../runtime/engine.ts';
import type { Model } from '../runtime/model.ts';
import { type Backbone, mergeHead, openBackbone } from './backbone.ts';
import type { BackboneSettings } from './settings.ts';

const side = 12;
const count = 3;
const photos = randomPhotos(count, side);

let engine: Engine;
beforeAll(() => {
  engine = Engine.start({ threads: 1 });
});
afterAll(() => engine.close());

async function featuresOf({ model }: Backbone, of: Uint8Array = photos): Promise<Float32Array> {
  const session = await engine.load(model);
  const features = floats(await session.run({ photos: of }), 'features');
  await session.release();
  return features;
}

async function write(bytes: Uint8Array, name = 'model.onnx'): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

async function open(bytes: Uint8Array, settings: Omit<BackboneSettings, 'file'> = {}): Promise<Backbone> {
  return openBackbone({ file: await write(bytes), ...settings }, side);
}

const imageNet = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

/** Photos as floats in (n, 3, S, S), as torchvision has them. */
function planes({ mean, deviation }: typeof imageNet = imageNet, order = [0, 1, 2]): Float32Array {
  const places = side * side;
  return Float32Array.from({ length: photos.length }, (_, at) => {
    const colour = order[Math.floor(at / places) % 3]!;
    const byte = photos[(Math.floor(at / (3 * places)) * places + (at % places)) * 3 + colour]!;
    return (byte / 255 - mean[colour]!) / deviation[colour]!;
  });
}

const convolution = node('Conv', ['image', 'filters', 'shift'], ['convolved'], {
  strides: [2, 2],
  pads: [1, 1, 1, 1],
});
const convolutionWeights = [weights('filters', [5, 3, 3, 3]), weights('shift', [5])];

/** Gives a grid `map` (n, 5, h, w) and its mean `pooled` (n, 5). */
function netOf(lengths: readonly (number | string)[]): Graph {
  return {
    input: [value('image', lengths)],
    node: [
      convolution,
      node('Relu', ['convolved'], ['map']),
      node('ReduceMean', ['map'], ['pooled'], { axes: [2, 3], keepdims: 0 }),
    ],
    initializer: convolutionWeights,
    output: [value('pooled', ['n', 5]), value('map', ['n', 5, 'h', 'w'])],
  };
}

const net = modelFile(netOf(['n', 3, 'h', 'w']));

/** (n, C, h, w) → (n, h · w · C) */
function cellByCell(data: ArrayLike<number>, channels: number, places: number): number[] {
  return Array.from({ length: data.length }, (_, at) => {
    const [photo, rest] = [Math.floor(at / (channels * places)), at % (channels * places)];
    return data[(photo * channels + (rest % channels)) * places + Math.floor(rest / channels)]!;
  });
}

/** Rows of several taps of `count` photos, one after the other. */
function joined(...taps: readonly ArrayLike<number>[]): number[] {
  return Array.from({ length: count }, (_, photo) =>
    taps.flatMap((tap) =>
      Array.from(tap).slice((photo * tap.length) / count, ((photo + 1) * tap.length) / count),
    ),
  ).flat();
}

describe('a convolutional net', () => {
  it('that takes floats of any side gives what it gives by itself, grids cell by cell', async () => {
    const backbone = await open(net);
    const direct = await runDirectly(net, { image: { shape: [count, 3, side, side], data: planes() } });
    const wanted = joined(direct['pooled']!.data, cellByCell(direct['map']!.data, 5, 36));
    expect(largestDifference(await featuresOf(backbone), wanted)).toBeLessThan(1e-5);
    expect(backbone.taps).toEqual([
      { name: 'pooled', layout: 'pooled', cells: 1, channels: 5, from: 0 },
      { name: 'map', layout: 'grid', cells: 6, channels: 5, from: 5 },
    ]);
    expect(backbone).toMatchObject({ side, width: 185 });
    expect(backbone.understood.join('\n')).toMatch(
      /colours before rows and columns, as the graph says[\s\S]*guessed: ImageNet's[\s\S]*any side/,
    );
  });

  it('is given photos of the side that it has, as ONNX resizes them', async () => {
    const larger = await open(modelFile(netOf(['n', 3, 20, 20])), { taps: ['convolved'] });
    const resize = node('Resize', ['image', '', '', 'size'], ['larger'], { mode: 'linear' });
    const graph = netOf(['n', 3, side, side]);
    const direct = await runDirectly(
      modelFile({
        ...graph,
        node: [resize, { ...convolution, input: ['larger', 'filters', 'shift'] }],
        initializer: [...convolutionWeights, integers('size', [count, 3, 20, 20])],
        output: [value('convolved', ['n', 5, 'h', 'w'])],
      }),
      { image: { shape: [count, 3, side, side], data: planes() } },
    );
    const wanted = cellByCell(direct['convolved']!.data, 5, 100);
    expect(largestDifference(await featuresOf(larger), wanted)).toBeLessThan(1e-5);
  });

  it('that takes bytes is given them as they are, with colours last', async () => {
    const graph: Graph = {
      input: [value('image', ['n', 'h', 'w', 3], 2)],
      node: [
        node('Cast', ['image'], ['floats'], { to: 1 }),
        node('ReduceMax', ['floats'], ['most'], { axes: [1], keepdims: 0 }),
      ],
      output: [value('most', ['n', 'w', 3])],
    };
    const bytes = modelFile(graph);
    const backbone = await open(bytes, { taps: [{ name: 'floats', cells: 4 }, 'most'] });
    const { most } = await runDirectly(bytes, { image: { shape: [count, side, side, 3], data: photos } });
    const features = await featuresOf(backbone);
    // 12 columns are no class token and a square.
    expect(backbone.taps[1]).toMatchObject({ layout: 'pooled', channels: 3, from: 48 });
    const mean = (photo: number, colour: number) =>
      Array.from({ length: side }, (_, column) => most!.data[(photo * side + column) * 3 + colour]!).reduce(
        (a, b) => a + b,
      ) / side;
    expect(features[51 + 48 + 2]).toBeCloseTo(mean(1, 2), 3);
    const firstCell = [0, 1, 2].flatMap((row) =>
      [0, 1, 2].map((column) => photos[(row * side + column) * 3]!),
    );
    expect(features[0]).toBeCloseTo(firstCell.reduce((a, b) => a + b) / 9, 3);
    await expect(open(bytes, { input: { mean: 0.5 } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it.each([
    ['beside it', 'model.onnx', 'preprocessor_config.json'],
    ['beside its folder onnx', 'onnx/model.onnx', '../preprocessor_config.json'],
  ])(
    'is given photos as preprocessor_config.json says %s, unless settings say otherwise',
    async (_, name, config) => {
      const file = await write(net, name);
      const content = {
        ...{
          do_resize: true,
          size: { shortest_edge: 40 },
          do_center_crop: true,
          crop_size: { height: 32, width: 32 },
        },
        ...{ do_rescale: true, rescale_factor: 1 / 255, do_normalize: true, image_mean: [0.1, 0.2, 0.3] },
        ...{ image_std: [0.4, 0.5, 0.6], do_flip_channel_order: true, image_processor_type: 'Some' },
      };
      await writeFile(join(dirname(file), config), JSON.stringify(content));
      const described = await openBackbone({ file, taps: ['pooled'] }, side);
      const data = planes({ mean: content.image_mean, deviation: content.image_std }, [2, 1, 0]);
      const direct = await runDirectly(net, { image: { shape: [count, 3, side, side], data } });
      expect(largestDifference(await featuresOf(described), direct['pooled']!.data)).toBeLessThan(1e-5);
      expect(described.understood.join('\n')).toMatch(
        /in the order bgr[\s\S]*from .*preprocessor_config.json/,
      );
      const set = await openBackbone(
        { file, taps: ['pooled'], input: { channels: 'rgb', ...settingsOf() } },
        side,
      );
      expect(await featuresOf(set)).toEqual(await featuresOf(await open(net, { taps: ['pooled'] })));
    },
  );

  it('is not opened with a preprocessor_config.json that cannot be understood', async () => {
    const file = await write(net);
    await writeFile(join(dirname(file), 'preprocessor_config.json'), '{"image_mean": "grey"}');
    const message = expect.stringContaining('preprocessor_config.json cannot be understood');
    await expect(openBackbone({ file }, side)).rejects.toMatchObject({ code: 'FILE_CORRUPT', message });
  });
});

function settingsOf() {
  const [a, b, c] = imageNet.mean;
  const [d, e, f] = imageNet.deviation;
  return { mean: [a!, b!, c!], deviation: [d!, e!, f!] } satisfies BackboneSettings['input'];
}

/** Patches as tokens (n, 1 + 16, 6) with a class token in front, which `shape` makes of the convolution. */
function tokensOf(batch: number | string, shape: readonly number[], opset = 17) {
  const graph: Graph = {
    input: [value('pixel_values', [batch, 3, side, side])],
    node: [
      node('Conv', ['pixel_values', 'filters'], ['patches'], { strides: [3, 3] }),
      node('Reshape', ['patches', 'shape'], ['columns']),
      node('Transpose', ['columns'], ['rows'], { perm: [0, 2, 1] }),
      node('Pad', ['rows', 'pads'], ['padded']),
      node('Add', ['padded', 'positions'], ['last_hidden_state']),
    ],
    initializer: [
      weights('filters', [6, 3, 3, 3]),
      integers('shape', shape),
      integers('pads', [0, 1, 0, 0, 0, 0]),
      weights('positions', [1, 17, 6]),
    ],
    output: [value('last_hidden_state', [batch, 17, 6])],
  };
  return modelFile(graph, opset);
}

const tokens = tokensOf('batch', [0, 6, -1]);

describe('a transformer', () => {
  it.each([
    ['its class token', undefined, (row: readonly number[]) => row.slice(0, 6)],
    ['the mean over the others', 'mean', (row: readonly number[]) => means(row.slice(6))],
    ['the grid of the others', 'grid', (row: readonly number[]) => row.slice(6)],
  ] as const)('gives %s', async (_, pool, taken) => {
    const taps = [{ name: 'last_hidden_state', ...(pool !== undefined && { pool }) }];
    const backbone = await open(tokens, { taps });
    const { last_hidden_state: all } = await runDirectly(tokens, {
      pixel_values: { shape: [count, 3, side, side], data: planes() },
    });
    const wanted = Array.from({ length: count }, (__, photo) =>
      taken(Array.from(all!.data).slice(photo * 17 * 6, (photo + 1) * 17 * 6)),
    ).flat();
    expect(largestDifference(await featuresOf(backbone), wanted)).toBeLessThan(1e-5);
  });

  it.each([
    ['with a free batch', 'batch', [0, 6, -1], false],
    ['with a batch of one that is free in truth', 1, [0, 6, -1], false],
    ['with a batch of one that its constants hold to', 1, [1, 6, 16], true],
    ['that would mix photos', 'batch', [1, 6, -1], true],
  ] as const)(
    '%s gives every photo the same features in whatever company',
    async (_, batch, shape, isSingle) => {
      const bytes = tokensOf(batch, shape);
      const backbone = await open(bytes);
      const together = await featuresOf(backbone);
      const size = side * side * 3;
      for (let photo = 0; photo < count; photo++) {
        const data = planes().slice(photo * size, (photo + 1) * size);
        const { last_hidden_state: all } = await runDirectly(bytes, {
          pixel_values: { shape: [1, 3, side, side], data },
        });
        expect(
          largestDifference(together.subarray(photo * 6, photo * 6 + 6), all!.data.subarray(0, 6)),
        ).toBeLessThan(1e-5);
      }
      expect(backbone.understood.join('\n').includes('one after the other')).toBe(isSingle);
    },
  );

  it('that was exported for four photos at a time is refused with what to do', async () => {
    await expect(open(tokensOf(4, [4, 6, 16]))).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringContaining('it takes 4 photos at a time'),
      remedy: 'Export the model with a dynamic batch axis.',
    });
  });
});

function means(row: readonly number[]): readonly number[] {
  return Array.from(
    { length: 6 },
    (_, at) => row.filter((__, index) => index % 6 === at).reduce((a, b) => a + b) / 16,
  );
}

describe('what of a graph is used', () => {
  it('are the outputs that photos alone decide, and the operators that the file itself defines', async () => {
    const doubled = node('Twice', ['map'], ['twice'], {});
    const graph: Graph = {
      ...netOf(['n', 3, 'h', 'w']),
      input: [value('image', ['n', 3, 'h', 'w']), value('text', ['m', 5])],
      node: [
        ...netOf([]).node,
        { ...doubled, domain: 'own' },
        node('ReduceMax', ['twice'], ['most'], { axes: [2, 3], keepdims: 0 }),
        node('MatMul', ['text', 'weights'], ['words']),
        node('Concat', ['pooled', 'words'], ['both'], { axis: 0 }),
        node('ArgMax', ['pooled'], ['which'], { axis: 1, keepdims: 0 }),
      ],
      initializer: [...convolutionWeights, weights('weights', [5, 5])],
      output: [value('both', ['b', 5]), value('most', ['n', 5]), value('which', ['n'], 7)],
    };
    const functions = [
      {
        ...{ name: 'Twice', domain: 'own', input: ['x'], output: ['y'], opsetImport: [{ version: 11 }] },
        node: [
          node('Unsqueeze', ['x'], ['z'], { axes: [0] }),
          node('Squeeze', ['z'], ['w'], { axes: [0] }),
          node('Add', ['w', 'x'], ['y']),
        ],
      },
    ];
    const opsetImport = [{ version: 11 }, { domain: 'own', version: 1 }, { domain: 'unused', version: 1 }];
    const backbone = await open(modelFile(graph, 11, { functions, opsetImport }));
    expect(backbone.taps.map(({ name }) => name)).toEqual(['most']);
    expect(backbone.understood.join('\n')).toContain('without both, which, which take other inputs');
    const own = modelFile(netOf(['n', 3, 'h', 'w']));
    const { map } = await runDirectly(own, { image: { shape: [count, 3, side, side], data: planes() } });
    const most = Array.from(
      { length: count * 5 },
      (_, at) => 2 * Math.max(...map!.data.subarray(at * 36, at * 36 + 36)),
    );
    expect(largestDifference(await featuresOf(backbone), most)).toBeLessThan(1e-5);
    const domains = decodeModel(backbone.model.encode('fused')).opsetImport?.map(
      ({ domain }) => domain ?? '',
    );
    expect(domains).not.toContain('unused');
  });

  it('is said to be a poor choice where it looks like scores of classes, and a better one is named', async () => {
    const graph = netOf(['n', 3, 'h', 'w']);
    const classifier = modelFile({
      ...graph,
      node: [...graph.node, node('Gemm', ['pooled', 'classes'], ['logits'])],
      initializer: [...convolutionWeights, weights('classes', [5, 1000])],
      output: [value('logits', ['n', 1000])],
    });
    const { understood } = await open(classifier);
    expect(understood.at(-1)).toMatch(
      /1000 numbers of "logits" look like scores of classes.*better name pooled/,
    );
  });

  const wrong: readonly [string, Omit<BackboneSettings, 'file'>, string][] = [
    ['a tap that is not there', { taps: ['maps'] }, 'it computes no tensor "maps"'],
    ['a class token of a grid', { taps: [{ name: 'map', pool: 'class' }] }, 'has places, no class token'],
    [
      'cells of what is pooled',
      { taps: [{ name: 'pooled', cells: 2 }] },
      'has no places, so it can have no cells',
    ],
    ['colours where there are none', { input: { layout: 'nhwc' } }, 'has 12 colours as nhwc'],
    ['another key', { input: { size: 3 } } as object, 'unknown key `input.size`'],
  ];
  it.each(wrong)('is not decided by settings that do not fit: %s', async (_, settings, problem) => {
    const message = expect.stringContaining(problem);
    await expect(open(modelFile(netOf(['n', 3, side, side])), settings)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message,
    });
  });

  it.each([
    ['of other shapes', { input: [value('image', ['n', 4])] }, 'it has no input of the shape of photos'],
    ['of another number of colours', { input: [value('image', ['n', 1, 'h', 'w'])] }, 'has 1 colours'],
    ['that is not square', { input: [value('image', ['n', 3, 8, 9])] }, 'is not square'],
    [
      'that an operator nobody knows takes',
      { node: [node('Odd', ['image'], ['pooled'])] },
      'ONNX Runtime cannot compute it',
    ],
    [
      'that becomes more than any memory holds',
      {
        node: [
          node('Expand', ['image', 'huge'], ['vast']),
          node('ReduceMean', ['vast'], ['pooled'], { axes: [2, 3], keepdims: 0 }),
        ],
        initializer: [integers('huge', [2 ** 45, 1, 1, 1, 1])],
      },
      'ONNX Runtime cannot compute it',
    ],
    [
      'that becomes no numbers',
      {
        node: [
          node('Sub', ['image', 'image'], ['z']),
          node('Div', ['z', 'z'], ['w']),
          node('ReduceMean', ['w'], ['pooled'], { axes: [2, 3] }),
        ],
      },
      'values that are no numbers',
    ],
  ])('is refused where its input is one %s', async (_, change, problem) => {
    const bytes = modelFile({
      ...netOf(['n', 3, 'h', 'w']),
      output: [value('pooled', [])].map((each) => ({ ...each, type: { tensorType: { elemType: 1 } } })),
      ...change,
    });
    const message = expect.stringContaining(problem);
    await expect(open(bytes)).rejects.toMatchObject({ code: 'FILE_CORRUPT', message });
  });

  it('has a hash of its own for the file, what is done to photos, and what is taken, and the same for the same', async () => {
    const path = await write(net);
    const hashOf = async (settings: object, S = side) =>
      (await openBackbone({ file: path, ...settings }, S)).hash;
    const hashes = [
      await hashOf({}),
      await hashOf({ taps: ['pooled'] }),
      await hashOf({ input: { channels: 'bgr' } }),
      await hashOf({}, 16),
      (await open(modelFile(netOf(['n', 3, 'h', 'w']), 16))).hash,
    ];
    expect(new Set(hashes).size).toBe(5);
    expect(await hashOf({ taps: ['pooled', 'map'] })).toBe(hashes[0]);
  });
});

/** A head of one layer: features (n, F) → embeddings (n, 4) of unit length. */
function headOf(width: number): Model {
  const random = Random.seeded(1, 'head');
  const values = Float32Array.from({ length: 4 * width }, () => random.normal());
  const features = input('features', 'float32', [openLength, width]);
  const weight = constant('float32', values, [4, width]);
  const embeddings = l2Normalize(linear(features, weight, constant('float32', values.slice(0, 4), [4])));
  return buildModel({ outputs: { embeddings }, openAxes: { features: 'photos', embeddings: 'photos' } });
}

describe('a backbone and a head in one file', () => {
  it('give what they give one after the other, whatever both call their tensors', async () => {
    // Names of our own graphs, and of what lies between them.
    const names = ['photos', 'pixels', 'tap0', 'features', 't0', 'c0', 'embeddings'];
    const chain = names.map((name, at) => node('Relu', [names[at - 1] ?? 'convolved'], [name]));
    const graph: Graph = {
      ...netOf(['n', 3, 'h', 'w']),
      node: [convolution, ...chain, node('ReduceMean', ['embeddings'], ['t1'], { axes: [2, 3] })],
      output: [value('t1', ['n', 5, 1, 1]), value('features', ['n', 5, 6, 6])],
    };
    const backbone = await open(modelFile(graph, 11));
    const head = headOf(backbone.width);
    const merged = encoderFileOf('merged.onnx', mergeHead(backbone, head, { 'courier.test': 'kept' }));
    expect(merged).toMatchObject({ side, dimension: 4 });
    expect(decodeModel(merged.bytes).metadataProps).toEqual([{ key: 'courier.test', value: 'kept' }]);
    const many = randomPhotos(50, side, 2);
    const session = await engine.load(head);
    const wanted = floats(await session.run({ features: await featuresOf(backbone, many) }), 'embeddings');
    const { embeddings } = await runDirectly(merged.bytes, {
      photos: { shape: [50, side, side, 3], data: many },
    });
    expect(embeddings?.shape).toEqual([50, 4]);
    expect(largestDifference(embeddings!.data, wanted)).toBeLessThan(1e-5);
  });

  it('are not made of a head for other features', async () => {
    const backbone = await open(net, { taps: ['pooled'] });
    expect(() => mergeHead(backbone, headOf(6), {})).toThrow('a head for 6 features is given 5');
  });
});
