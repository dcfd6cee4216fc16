/** A pretrained image model of which the last part is trained: frozen up to a cut, our own tensors behind it. */
import { createHash } from 'node:crypto';
import { buildModel } from '../graph/onnx.ts';
import { encodeModel } from '../graph/onnx-schema.ts';
import { reshape } from '../graph/operators/index.ts';
import { initialValues, layoutOf, parametersOf } from '../graph/parameters.ts';
import { type FloatTensor, input, openLength, sizeOf } from '../graph/tensor.ts';
import { buildExport } from '../graph/training-step.ts';
import { Random } from '../random.ts';
import { floats } from '../runtime/engine.ts';
import type { Model } from '../runtime/model.ts';
import { integer } from '../text.ts';
import {
  type Backbone,
  coreModel,
  lengthsOf,
  type Understanding,
  withBackbone,
  withCore,
} from './backbone.ts';
import { coreOf } from './core.ts';
import { BackboneFault } from './errors.ts';
import { opsetOf, renamed } from './nodes.ts';
import { upgrade } from './opsets.ts';
import { preprocessingModel } from './preprocessing.ts';
import { observe, runOnce } from './probe.ts';
import type { BackboneSettings, FineTuneSettings } from './settings.ts';
import { cutAt, nameInFile } from './tail/cut.ts';
import { readTail, type Tail, tapsBehind } from './tail/import.ts';
import { wayThrough } from './tail/way.ts';
import { trainedWeights, withTrained } from './tail/weights.ts';
import { featuresOf, tapName } from './taps.ts';

export interface TrainableBackbone {
  /** From photos to what the trained part is given, one number after the other: `features` (n, c). */
  readonly frozen: Backbone;
  /** What is trained, a sentence each. */
  readonly understood: readonly string[];
  /** What the frozen part says of photos (n, c) → features (n, F). Parameters are named `encoder.tail…`. */
  forward(given: FloatTensor): FloatTensor;
  /**
   * What has been learned, written back.
   * @param values of parameters by their names, among others
   */
  trained(values: ReadonlyMap<string, Float32Array>): TrainedBackbone;
}

export interface TrainedBackbone {
  /** From photos to features (n, F). */
  readonly backbone: Backbone;
  /** The user's own file with other weights: the same inputs and outputs. */
  file(metadata: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer>;
}

/** Operators mean the same since this opset, as far as they can be trained through. */
const opset = 18;

/** Numbers of a photo at the cut: they are kept for every photo of a dataset. */
const mostNumbers = 2 ** 20;

/**
 * Reads the part of a model that is to be trained, and makes sure that it gives what the model gives.
 * @param settings of the model, as `openBackbone` takes them
 * @param side S of the photos that it will be given, in pixels
 * @throws CourierError as `openBackbone`; CONFIG_INVALID for a cut that is none, or a part that cannot be trained, naming the
 * node that stands in the way; LIMIT_EXCEEDED for a cut that is too wide
 */
export function openTrainable(
  settings: BackboneSettings,
  fineTune: Pick<FineTuneSettings, 'from' | 'lora'>,
  side: number,
): Promise<TrainableBackbone> {
  return withBackbone(settings, side, (understanding) => trainable(understanding, fineTune));
}

async function trainable(
  understanding: Understanding,
  { from, lora }: Pick<FineTuneSettings, 'from' | 'lora'>,
): Promise<TrainableBackbone> {
  const { backbone, file, core, preprocessing, plans, photos, trial } = understanding;
  const { side } = backbone;
  if (!understanding.isTogether) {
    const problem = 'it computes photos one after the other, so it cannot be trained.';
    throw new BackboneFault(problem, 'Export the model with a dynamic batch axis, or leave it frozen.');
  }
  const newer = upgrade(core, Math.max(opset, opsetOf(core)));
  const way = wayThrough(newer.graph);
  const cut = cutAt(way, from);
  const { pixels } = await runOnce(preprocessingModel(preprocessing, side), { photos }, trial);
  if (pixels === undefined) throw new Error('preprocessing gave no pixels');
  const lengths = lengthsOf(preprocessing);
  const name = nameInFile(cut.name);
  const before = coreOf(file.model, understanding.photoInput, preprocessing, [name]);
  const { shapes, values } = await observe(before, pixels, lengths, trial);
  const shape = shapes[0]!;
  const width = sizeOf(shape);
  const cutText = `${JSON.stringify(name)} (n, ${shape.join(', ')})`;
  if (width > mostNumbers) {
    const problem = `its tensor ${cutText} has ${width} numbers a photo, more than ${mostNumbers}.`;
    throw new BackboneFault(problem, 'Choose another cut in `fineTune.from`.', 'LIMIT_EXCEEDED');
  }
  const { node: whole } = renamed(file.model.graph, (own) => (own === '' ? '' : `file/${own}`));
  const tail = await readTail(newer, way, cut, whole, pixels, lengths, trial);
  const forward = (given: FloatTensor) =>
    featuresOf(plans, tapsBehind(tail, reshape(given, [given.shape[0]!, ...shape]), lora));
  const parameters = await requireSame(understanding, forward, values[tapName(0)]!, width);
  const { rest, nodes } = outputsOf(tail);
  const how = lora === null ? 'all its weights' : `changes of rank ${lora} of its matrix products`;
  return {
    frozen: {
      hash: createHash('sha256')
        .update(backbone.hash)
        .update(JSON.stringify({ cut: name }))
        .digest('hex'),
      side,
      taps: [{ name, layout: 'pooled', cells: 1, channels: width, from: 0 }],
      width,
      learnedUntil: backbone.learnedUntil,
      understood: [],
      model: coreModel(preprocessing, before, flattening(shape), side, width),
    },
    understood: [
      `What comes behind ${cutText} is trained (setting \`fineTune.from\`): ${how}, ${integer(parameters)} numbers.`,
    ],
    forward,
    trained(all) {
      const weights = trainedWeights(tail.weights, all);
      const inCore = new Map([...weights].map(([own, data]) => [`file/${own}`, data]));
      const graph = withTrained(core.graph, nodes, inCore);
      return {
        backbone: withCore(understanding, { ...core, graph }),
        file: (metadata) =>
          encodeModel({
            ...file.model,
            graph: withTrained(file.model.graph, rest, weights),
            metadataProps: [
              ...file.model.metadataProps.filter(({ key }) => !(key in metadata)),
              ...Object.entries(metadata).map(([key, value]) => ({ key, value })),
            ],
          }),
      };
    },
  };
}

/** What the nodes of the trained part give, by their names in the core, and in the file. */
function outputsOf({ nodes }: Tail) {
  const names = nodes.flatMap(({ output }) => output).filter((each) => each !== '');
  return { nodes: new Set(names), rest: new Set(names.map(nameInFile)) };
}

/** From the cut as a tap to its numbers, one after the other. */
function flattening(shape: readonly number[]): Model {
  const tap = input(tapName(0), 'float32', [openLength, ...shape]);
  const features = reshape(tap, [openLength, sizeOf(shape)]);
  return buildModel({ outputs: { features }, openAxes: { [tapName(0)]: 'photos', features: 'photos' } });
}

/** Of the largest number of a feature: what kernels in another order differ by. */
const tolerance = 1e-3;

/**
 * Computes features of two photos with our own tensors.
 * @param given what the frozen part says of them (2, c)
 * @returns the number of parameters
 * @throws BackboneFault where they are others than the file gives, or nothing trains
 */
async function requireSame(
  { features: wanted, trial }: Understanding,
  forward: TrainableBackbone['forward'],
  given: Float32Array,
  width: number,
): Promise<number> {
  const features = forward(input('given', 'float32', [openLength, width]));
  const parameters = parametersOf([features]);
  const layout = layoutOf(parameters);
  if (layout.size === 0)
    throw new BackboneFault(
      'there are no weights behind the cut that could be trained.',
      'Choose an earlier cut in `fineTune.from`.',
      'CONFIG_INVALID',
    );
  const values = initialValues(parameters, Random.seeded(1, 'probe'));
  const model = buildExport({ features }, layout, values, { given: 'photos', features: 'photos' });
  const found = floats(await runOnce(model, { given }, trial), 'features');
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const isSame =
    found.length === wanted.length &&
    found.every((value, at) => Math.abs(value - wanted[at]!) <= tolerance * largest);
  if (!isSame)
    throw new BackboneFault(
      'read into tensors that can be trained, it gives other features than by itself.',
      'Choose a later cut in `fineTune.from`, or leave the network frozen.',
    );
  return layout.size;
}
