/** What happens to photos before a backbone takes them. */
import { buildModel } from '../graph/onnx.ts';
import {
  add,
  cast,
  concatenate,
  divide,
  matmul,
  multiply,
  split,
  subtract,
  transpose,
} from '../graph/operators/index.ts';
import { constant, type FloatTensor, input, openLength, scalar, type Tensor } from '../graph/tensor.ts';
import type { Model } from '../runtime/model.ts';
import { wrongSetting } from './errors.ts';
import type { PhotoInput } from './photo-input.ts';
import type { PreprocessorConfig } from './preprocessor-config.ts';
import { interpolation } from './resampling.ts';
import type { InputSettings, Layout } from './settings.ts';

type Colour = readonly [number, number, number];

/** Numbers are as they are on the way to the model: (byte · scale − mean) / deviation, for red, green and blue. */
export interface Preprocessing {
  /** Whether the model takes bytes; they are given as they are. */
  readonly isBytes: boolean;
  readonly layout: Layout;
  readonly channels: 'rgb' | 'bgr';
  /** Pixels a side that the model gets. */
  readonly side: number;
  readonly scale: number;
  readonly mean: Colour;
  readonly deviation: Colour;
}

interface Normalization extends Pick<Preprocessing, 'scale' | 'mean' | 'deviation' | 'channels'> {
  /** Where it is from, as a part of a sentence. */
  readonly from: string;
}

const asTheyAre: Normalization = {
  ...{ scale: 1, mean: [0, 0, 0], deviation: [1, 1, 1], channels: 'rgb' },
  from: 'since the graph takes bytes',
};

/** What most models of ImageNet were trained with. */
const imageNet: Normalization = {
  ...{ scale: 1 / 255, mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225], channels: 'rgb' },
  from: "guessed: ImageNet's, since nothing says otherwise (settings `input.scale`, `input.mean`, `input.deviation`)",
};

/**
 * What the model gets, from settings, then the description beside it, then a guess.
 * @param side of the photos, in pixels, which a model that takes any is given too
 * @returns with a sentence about each thing that was not simply read from the graph
 * @throws BackboneFault CONFIG_INVALID for numbers that bytes have no use for
 */
export function preprocessingFor(
  photos: PhotoInput,
  config: PreprocessorConfig | null,
  settings: InputSettings,
  side: number,
): { readonly preprocessing: Preprocessing; readonly understood: readonly string[] } {
  const { isBytes, layout } = photos;
  const { scale, mean, deviation } = settings;
  if (isBytes && [scale, mean, deviation].some((value) => value !== undefined))
    throw wrongSetting('it takes bytes, so `input` can have no scale, mean or deviation.');
  const found = isBytes ? asTheyAre : config === null ? imageNet : { ...config, from: `from ${config.path}` };
  const preprocessing: Preprocessing = {
    ...{ isBytes, layout, channels: settings.channels ?? found.channels, side: photos.side ?? side },
    scale: scale ?? found.scale,
    mean: colourOf(mean) ?? found.mean,
    deviation: colourOf(deviation) ?? found.deviation,
  };
  return { preprocessing, understood: sentences(photos, preprocessing, found, settings, side) };
}

function colourOf(value: number | [number, number, number] | undefined): Colour | undefined {
  return typeof value === 'number' ? [value, value, value] : value;
}

function sentences(
  photos: PhotoInput,
  { layout, channels, scale, mean, deviation, ...preprocessing }: Preprocessing,
  found: Normalization,
  settings: InputSettings,
  side: number,
): readonly string[] {
  const shape = layout === 'nchw' ? 'colours before rows and columns' : 'colours after rows and columns';
  const layoutFrom =
    settings.layout !== undefined
      ? 'as set'
      : photos.saysLayout
        ? 'as the graph says'
        : 'guessed, since the graph leaves it open (setting `input.layout`)';
  const isSet = [settings.scale, settings.mean, settings.deviation].some((value) => value !== undefined);
  const from = isSet ? `as set, the rest ${found.from}` : found.from;
  const numbers = `(byte · ${rounded(scale)} − [${mean.map(rounded)}]) / [${deviation.map(rounded)}]`;
  const given = preprocessing.isBytes ? 'Photos are given as bytes' : `Photos are given as ${numbers}`;
  const anySide = 'as they are; the graph takes any side (setting `input.side`)';
  const sideFrom = photos.side === undefined ? anySide : photos.sideFrom;
  const resized = preprocessing.side === side ? '' : `, resized from ${side}`;
  return [
    `The input ${JSON.stringify(photos.name)} has its ${shape}, ${layoutFrom}, in the order ${channels}.`,
    `${given}, ${from}.`,
    `Photos have ${preprocessing.side} pixels a side${resized}, ${sideFrom}.`,
  ];
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(5)));
}

/** The input `photos` uint8 (n, S, S, 3) and what the backbone takes, `pixels` (n, 3, side, side) or (n, side, side, 3). */
export function preprocessingModel(preprocessing: Preprocessing, side: number): Model {
  const photos = input('photos', 'uint8', [openLength, side, side, 3]);
  const pixels = preprocess(photos, preprocessing, side);
  return buildModel({ outputs: { pixels }, openAxes: { photos: 'photos', pixels: 'photos' } });
}

function preprocess(photos: Tensor<'uint8'>, preprocessing: Preprocessing, from: number): Tensor {
  const { isBytes, layout, channels, side, scale, mean, deviation } = preprocessing;
  if (isBytes && layout === 'nhwc' && channels === 'rgb' && side === from) return photos;
  let x = transpose(cast(photos, 'float32'), [0, 3, 1, 2]);
  if (side !== from) {
    const along = interpolation(side, from);
    x = matmul(matmul(along, x), along, { transposeB: true });
  }
  if (scale !== 1) x = multiply(x, scalar(scale));
  if (mean.some((value) => value !== 0)) x = subtract(x, planes(mean));
  if (deviation.some((value) => value !== 1)) x = divide(x, planes(deviation));
  if (channels === 'bgr') x = concatenate(split(x, [1, 1, 1], 1).toReversed(), 1);
  if (layout === 'nhwc') x = transpose(x, [0, 2, 3, 1]);
  // Bytes are cut off, not rounded, when they are made.
  return isBytes ? cast(add(x, scalar(0.5)), 'uint8') : x;
}

function planes(colour: Colour): FloatTensor {
  return constant('float32', Float32Array.from(colour), [3, 1, 1]);
}
