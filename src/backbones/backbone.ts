/** A pretrained image model as the rest knows it: photos in, features out. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { parseConfig } from '../config.ts';
import { decodeModel, encodeModel, type ModelProto } from '../graph/onnx-schema.ts';
import { floats } from '../runtime/engine.ts';
import type { Model } from '../runtime/model.ts';
import { ModelError } from '../runtime/model-error.ts';
import { Trial } from '../runtime/trial.ts';
import { chain } from './chain.ts';
import { coreOf, oneByOne, outputsOf, tensorBefore } from './core.ts';
import { BackboneFault, exportAgain, refusing } from './errors.ts';
import { type BackboneFile, readBackboneFile } from './file.ts';
import { nodesOfModel } from './nodes.ts';
import { type PhotoInput, photoInputOf } from './photo-input.ts';
import { type Preprocessing, preprocessingFor, preprocessingModel } from './preprocessing.ts';
import { readPreprocessorConfig } from './preprocessor-config.ts';
import { differenceOf, type Observed, observe, runOnce } from './probe.ts';
import { probePhotos } from './probe-photos.ts';
import { type BackboneSettings, backboneSettings, type TapSettings } from './settings.ts';
import { describeTap, isOfClasses, planTaps, poolingModel, type Tap, type TapPlan, widthOf } from './taps.ts';

export interface Backbone {
  /** SHA-256 over the file, its external data, and what is done before and after: equal features have equal hashes. */
  readonly hash: string;
  /** Side S of the photos it is given, in pixels. */
  readonly side: number;
  /** What the F numbers of a photo are, one tap after the other. */
  readonly taps: readonly Tap[];
  /** F: numbers of a photo. */
  readonly width: number;
  /** Up to when it has seen clicks, milliseconds since 1970-01-01 UTC; null where that is not known. */
  readonly learnedUntil: number | null;
  /** What was read, guessed or set, a sentence each. */
  readonly understood: readonly string[];
  /** From the input `photos` uint8 (n, S, S, 3) in RGB order to the output `features` float32 (n, F). */
  readonly model: Model;
}

/**
 * Reads an ONNX image model, finds out what it takes and gives, and tries it on two photos: what comes out of it must be
 * what the file gives by itself, a photo at a time.
 * @param side S of the photos that it will be given, in pixels
 * @throws CourierError CONFIG_INVALID for settings that do not fit the file; FILE_NOT_FOUND, FILE_UNREADABLE; FILE_CORRUPT
 * for a file that cannot be used, saying why; LIMIT_EXCEEDED over 2 GiB, or for too many features
 */
export function openBackbone(settings: BackboneSettings, side: number): Promise<Backbone> {
  return withBackbone(settings, side, async ({ backbone }) => backbone);
}

/** A backbone, and what it was made of. */
export interface Understanding {
  readonly backbone: Backbone;
  readonly file: BackboneFile;
  readonly photoInput: PhotoInput;
  readonly preprocessing: Preprocessing;
  readonly core: ModelProto;
  readonly plans: readonly TapPlan[];
  /** Whether it computes all photos of a batch at once. */
  readonly isTogether: boolean;
  /** Two photos to try it on. (2, S, S, 3) */
  readonly photos: Uint8Array;
  /** What it says of them. (2, F) */
  readonly features: Float32Array;
  /** Where it may run. */
  readonly trial: Trial;
}

/** As `openBackbone`; does something with what was understood, and names the file in whatever fault it finds. */
export async function withBackbone<T>(
  settings: BackboneSettings,
  side: number,
  work: (understanding: Understanding) => Promise<T>,
): Promise<T> {
  const parsed = parseConfig(backboneSettings, settings, 'backbone settings');
  const file = await readBackboneFile(parsed.file);
  return refusing(file.path, async () => {
    const trial = new Trial();
    try {
      return await work(await understand(file, parsed, side, trial));
    } finally {
      trial.close();
    }
  });
}

/**
 * One model of a backbone and a head, in operators that every runtime knows.
 * @param head from `features` float32 (n, F) to `embeddings` float32 (n, d)
 * @param metadata texts that the file carries beside the graph
 * @returns the ONNX file from `photos` uint8 (n, S, S, 3) to `embeddings` float32 (n, d)
 */
export function mergeHead(
  backbone: Backbone,
  head: Model,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const given = head.inputs['features']?.shape.at(-1);
  if (given !== backbone.width) throw new Error(`a head for ${given} features is given ${backbone.width}`);
  const [features, embeddings] = [backbone.model, head].map((model) => decodeModel(model.encode('standard')));
  return encodeModel(chain({ features: features!, head: embeddings! }, metadata));
}

async function understand(
  file: BackboneFile,
  settings: ParsedSettings,
  side: number,
  trial: Trial,
): Promise<Understanding> {
  const photoInput = photoInputOf(file.model.graph, settings.input);
  const taps = tapsOf(file.model, photoInput, settings.taps);
  const photos = probePhotos(side);
  const first = await understandPhotos(
    { file, settings, side, photos, taps: taps.settings, trial },
    photoInput,
  );
  const { preprocessing, core, observed } = first;
  const plans = planTaps(taps.settings, observed.shapes, preprocessing.layout);
  const features = floats(await runOnce(poolingModel(plans), observed.values, trial), 'features');
  if (!features.every(Number.isFinite))
    throw new BackboneFault('it gives values that are no numbers for a photo.', exportAgain);
  const way = await wayOf(file.model, { preprocessing, core, plans, side }, photos, features, trial);
  const kept = { side, preprocessing, way: way.name, taps: plans.map(({ settings: _, ...plan }) => plan) };
  const backbone: Backbone = {
    hash: createHash('sha256').update(file.hash).update(JSON.stringify(kept)).digest('hex'),
    side,
    taps: plans.map(({ tap }) => tap),
    width: features.length / 2,
    learnedUntil: file.learnedUntil,
    understood: [
      ...first.understood,
      ...taps.understood,
      ...plans.map(describeTap),
      ...classWarnings(file.model, plans),
      ...way.understood,
    ],
    model: way.model,
  };
  const isTogether = way.name === 'together';
  return {
    ...{ backbone, file, photoInput: first.photoInput, preprocessing, core, plans, isTogether },
    ...{ photos, features, trial },
  };
}

type ParsedSettings = z.output<typeof backboneSettings>;

interface Tries {
  readonly file: BackboneFile;
  readonly settings: ParsedSettings;
  readonly side: number;
  readonly photos: Uint8Array;
  readonly taps: readonly TapSettings[];
  readonly trial: Trial;
}

interface Understood {
  readonly photoInput: PhotoInput;
  readonly preprocessing: Preprocessing;
  readonly core: ModelProto;
  readonly observed: Observed;
  readonly understood: readonly string[];
}

/**
 * What the file gives for single photos. A graph that seems to take any side may still fail on that of the photos, since
 * it has positions for one only: then photos get the side that the description beside it names.
 */
async function understandPhotos(tries: Tries, photoInput: PhotoInput): Promise<Understood> {
  const { file, settings, side, photos, trial } = tries;
  const config = await readPreprocessorConfig(file.path);
  const attempt = async (input: PhotoInput): Promise<Understood> => {
    const { preprocessing, understood } = preprocessingFor(input, config, settings.input, side);
    const core = coreOf(
      file.model,
      input,
      preprocessing,
      tries.taps.map(({ name }) => name),
    );
    const lengths = lengthsOf(preprocessing);
    const { pixels } = await runOnce(preprocessingModel(preprocessing, side), { photos }, trial);
    if (pixels === undefined) throw new Error('preprocessing gave no pixels');
    const observed = await observe(core, pixels, lengths, trial);
    return { photoInput: input, preprocessing, core, observed, understood };
  };
  try {
    return await attempt(photoInput);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const other = photoInput.side === undefined ? config?.side : undefined;
    if (other === undefined || other === side) throw notComputed(error, photoInput, side);
    const sideFrom = `from ${config?.path}, since the graph fails on ${side}`;
    return attempt({ ...photoInput, side: other, sideFrom }).catch((second: unknown) => {
      throw second instanceof ModelError ? notComputed(second, photoInput, other) : second;
    });
  }
}

/** What the model takes of one photo. */
export function lengthsOf({ layout, side }: Preprocessing): readonly number[] {
  return layout === 'nchw' ? [3, side, side] : [side, side, 3];
}

function notComputed(error: ModelError, { batch = 1, side }: PhotoInput, tried: number): BackboneFault {
  if (batch > 1) {
    const problem = `it takes ${batch} photos at a time, no more and no fewer.`;
    return new BackboneFault(problem, 'Export the model with a dynamic batch axis.');
  }
  const remedy =
    side === undefined
      ? 'Set `input.side` to the pixels a side that it was trained with, or export it again.'
      : exportAgain;
  return new BackboneFault(
    `ONNX Runtime cannot compute it on a photo of ${side ?? tried} pixels: ${error.message}`,
    remedy,
  );
}

/** The taps that are set, or the outputs that depend on photos alone. */
function tapsOf(
  model: ModelProto,
  photoInput: PhotoInput,
  settings: ParsedSettings['taps'],
): { readonly settings: readonly TapSettings[]; readonly understood: readonly string[] } {
  if (settings !== undefined) {
    const named = settings.map((each) => (typeof each === 'string' ? { name: each } : each));
    return { settings: named, understood: [] };
  }
  const names = outputsOf(model, photoInput);
  if (names.length === 0)
    throw new BackboneFault('no output of it is made of photos alone.', 'Name tensors of it in `taps`.');
  const left = model.graph.output.map(({ name }) => name).filter((name) => !names.includes(name));
  const without =
    left.length === 0 ? '' : `, without ${left.join(', ')}, which take other inputs or are no floats`;
  const understood = [`Features are all outputs${without} (setting \`taps\`).`];
  return { settings: names.map((name) => ({ name })), understood };
}

/** Scores of classes tell little about looks. */
function classWarnings(model: ModelProto, plans: readonly TapPlan[]): readonly string[] {
  return plans.filter(isOfClasses).map(({ tap: { name, channels } }) => {
    const before = tensorBefore(model, name) ?? 'a tensor before the last layer';
    return `The ${channels} numbers of ${JSON.stringify(name)} look like scores of classes, poor features of looks: better name ${before} in \`taps\`.`;
  });
}

interface Parts {
  readonly preprocessing: Preprocessing;
  readonly core: ModelProto;
  readonly plans: readonly TapPlan[];
  readonly side: number;
}

/** The same backbone with another core, which has the same taps. */
export function withCore({ backbone, ...parts }: Understanding, core: ModelProto): Backbone {
  return { ...backbone, model: featuresModel({ ...parts, core, side: backbone.side }) };
}

/** Operators that measure the range of a whole batch: a photo has other features in other company. */
const measuring = ['DynamicQuantizeLinear', 'DynamicQuantizeMatMul', 'DynamicQuantizeLSTM'];

/** All photos of a batch at once where that gives what single photos do, else one after the other. */
async function wayOf(
  model: ModelProto,
  parts: Parts,
  photos: Uint8Array,
  wanted: Float32Array,
  trial: Trial,
): Promise<{ readonly name: string; readonly model: Model; readonly understood: readonly string[] }> {
  const measures = nodesOfModel(model).some(({ opType }) => measuring.includes(opType));
  const taps = parts.plans.map(({ tap }) => tap);
  const together = featuresModel(parts);
  const inBatch = measures
    ? 'it measures ranges in each batch'
    : await differenceOf(together, photos, wanted, taps, trial);
  if (inBatch === null) return { name: 'together', model: together, understood: [] };
  const single = featuresModel({ ...parts, core: oneByOne(parts.core) });
  const alone = await differenceOf(single, photos, wanted, taps, trial);
  if (alone !== null) {
    const problem = `with what belongs before and after it, it is not the same model any more: ${alone}.`;
    throw new BackboneFault(problem, 'Export it again with opset 18 or newer and a dynamic batch axis.');
  }
  const faster = measures ? '' : '; exported with a dynamic batch axis, it may be faster';
  const why = `Photos are computed one after the other, since the graph does not take several as it takes one (${firstLine(inBatch)})${faster}.`;
  return { name: 'one by one', model: single, understood: [why] };
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.slice(0, 200);
}

function featuresModel({ preprocessing, core, plans, side }: Parts): Model {
  const width = plans.reduce((sum, { tap }) => sum + widthOf(tap), 0);
  return coreModel(preprocessing, core, poolingModel(plans), side, width);
}

/**
 * A core between what comes before and after it.
 * @param after from its taps to `features` (n, width)
 */
export function coreModel(
  preprocessing: Preprocessing,
  core: ModelProto,
  after: Model,
  side: number,
  width: number,
): Model {
  const before = preprocessingModel(preprocessing, side);
  return {
    encode: (target) => {
      const [preprocess, pooling] = [before, after].map((model) => decodeModel(model.encode(target)));
      return encodeModel(chain({ preprocess: preprocess!, backbone: core, pooling: pooling! }));
    },
    inputs: { photos: { type: 'uint8', shape: [1, side, side, 3] } },
    outputs: { features: { type: 'float32', shape: [1, width] } },
  };
}
