/** Which tensors of a backbone are its features, and how each becomes numbers of a photo. */
import { buildModel } from '../graph/onnx.ts';
import { concatenate, matmul, mean, reshape, split, transpose } from '../graph/operators/index.ts';
import { type FloatTensor, input, openLength } from '../graph/tensor.ts';
import type { Model } from '../runtime/model.ts';
import { BackboneFault, wrongSetting } from './errors.ts';
import { gridCoverage } from './resampling.ts';
import type { Layout, TapSettings } from './settings.ts';

/** A part of the features of a photo. */
export interface Tap {
  /** Of the tensor in the file. */
  readonly name: string;
  /** `grid`: numbers of one cell after those of the other, row after row, so (cells, cells, channels). */
  readonly layout: 'pooled' | 'grid';
  /** A side; 1 where it is pooled. */
  readonly cells: number;
  readonly channels: number;
  /** Where its cells² · channels numbers begin among the F of a photo. */
  readonly from: number;
}

/** How many of the numbers of a photo are of a tap. */
export function widthOf({ cells, channels }: Tap): number {
  return cells ** 2 * channels;
}

/** A tensor of the graph as it is for one photo, and what becomes of it. */
export interface TapPlan {
  readonly settings: TapSettings;
  /** Without the axis of photos. */
  readonly shape: readonly number[];
  readonly channelsFirst: boolean;
  readonly pool: 'class' | 'mean' | 'grid';
  /** Tokens before those of places, such as the class token. */
  readonly extraTokens: number;
  readonly tap: Tap;
}

/** Of features of a photo: a million photos of so many have 250 GB in float16, and nobody learns from more. */
const mostNumbers = 2 ** 17;

/** Lengths that published classifiers of ImageNet give. */
const classCounts = [1000, 1001, 11221, 11821, 21841, 21843];

/**
 * Decides about taps from what one photo gives.
 * @param shapes of the tensors, without the axis of photos, in the order of the settings
 * @param layout of the input, which decides where dimensions do not
 * @throws BackboneFault for tensors that are no features of a photo, and settings that do not fit them
 */
export function planTaps(
  settings: readonly TapSettings[],
  shapes: readonly (readonly number[])[],
  layout: Layout,
): readonly TapPlan[] {
  let from = 0;
  const plans = settings.map((each, index) => {
    const plan = planTap(each, shapes[index]!, layout, from);
    from += widthOf(plan.tap);
    return plan;
  });
  if (from <= mostNumbers) return plans;
  const problem = `its taps have ${from} numbers a photo, more than ${mostNumbers}.`;
  throw new BackboneFault(problem, 'Name fewer in `taps`, or give them `cells`.', 'LIMIT_EXCEEDED');
}

function planTap(settings: TapSettings, shape: readonly number[], layout: Layout, from: number): TapPlan {
  const { name } = settings;
  switch (shape.length) {
    case 1: {
      refuse(settings, ['pool', 'cells', 'layout'], 'has no places');
      const tap: Tap = { name, layout: 'pooled', cells: 1, channels: shape[0]!, from };
      return { settings, shape, channelsFirst: false, pool: 'mean', extraTokens: 0, tap };
    }
    case 2:
      return planTokens(settings, shape[0]!, shape[1]!, from);
    case 3:
      return planGrid(settings, shape, layout, from);
    default:
      throw wrongSetting(`its tensor ${name} has the shape (n, ${shape.join(', ')}), which is no tap.`);
  }
}

function planTokens(settings: TapSettings, tokens: number, channels: number, from: number): TapPlan {
  const { name } = settings;
  refuse(settings, ['layout'], 'is tokens');
  const hasClass = tokens > 1 && Number.isInteger(Math.sqrt(tokens - 1));
  const pool = settings.pool ?? (hasClass ? 'class' : 'mean');
  if (pool !== 'grid') refuse(settings, ['cells'], 'is pooled');
  const extraTokens = hasClass ? 1 : 0;
  const cells = Math.sqrt(tokens - extraTokens);
  if (pool === 'grid' && !Number.isInteger(cells))
    throw wrongSetting(`its tensor ${name} has ${tokens} tokens, which are no square grid.`);
  const tap = pool === 'grid' ? gridOf(settings, cells, channels, from) : pooledOf(name, channels, from);
  return { settings, shape: [tokens, channels], channelsFirst: false, pool, extraTokens, tap };
}

function planGrid(settings: TapSettings, shape: readonly number[], layout: Layout, from: number): TapPlan {
  const [a, b, c] = [shape[0]!, shape[1]!, shape[2]!];
  const told = b === c && a !== b ? 'nchw' : a === b && b !== c ? 'nhwc' : layout;
  const channelsFirst = (settings.layout ?? told) === 'nchw';
  const [channels, height, width] = channelsFirst ? [a, b, c] : [c, a, b];
  const pool = settings.pool ?? 'grid';
  if (pool === 'class') throw wrongSetting(`its tensor ${settings.name} has places, no class token.`);
  if (pool === 'mean') refuse(settings, ['cells'], 'is pooled');
  if (pool === 'grid' && height !== width)
    throw wrongSetting(`its tensor ${settings.name} has ${height} × ${width} places, which are no square.`);
  const tap =
    pool === 'mean' ? pooledOf(settings.name, channels, from) : gridOf(settings, height, channels, from);
  return { settings, shape, channelsFirst, pool, extraTokens: 0, tap };
}

function pooledOf(name: string, channels: number, from: number): Tap {
  return { name, layout: 'pooled', cells: 1, channels, from };
}

function gridOf({ name, cells = Infinity }: TapSettings, side: number, channels: number, from: number): Tap {
  const kept = Math.min(side, cells);
  return { name, layout: kept === 1 ? 'pooled' : 'grid', cells: kept, channels, from };
}

function refuse(settings: TapSettings, keys: readonly (keyof TapSettings)[], why: string): void {
  const given = keys.filter((key) => settings[key] !== undefined);
  if (given.length > 0)
    throw wrongSetting(`its tensor ${settings.name} ${why}, so it can have no ${given.join(' or ')}.`);
}

/** What a tap is, in a sentence. */
export function describeTap({ settings, shape, pool, extraTokens, tap }: TapPlan): string {
  const { name, cells, channels } = tap;
  const start = `The tap ${JSON.stringify(name)} (n, ${shape.join(', ')})`;
  if (shape.length === 1) return `${start} is taken as it is.`;
  const chosen = settings.pool === undefined ? ' (setting `pool`)' : ', as set';
  if (pool === 'class') return `${start} gives its first token, taken for the class token${chosen}.`;
  if (pool === 'mean') {
    const over = shape.length === 3 ? 'places' : extraTokens > 0 ? 'tokens but the first' : 'tokens';
    return `${start} gives its mean over ${over}${chosen}.`;
  }
  return `${start} is kept as ${cells} × ${cells} cells of ${channels} channels.`;
}

/** Whether a tap looks like what a classifier says. */
export function isOfClasses({ shape, tap }: TapPlan): boolean {
  return shape.length === 1 && classCounts.includes(tap.channels);
}

/** Taps under the names that `tapName` gives them, and `features` float32 (n, F). */
export function poolingModel(plans: readonly TapPlan[]): Model {
  const features = featuresOf(plans, plans.map(tapInput));
  const names = plans.map((_, index) => tapName(index));
  const openAxes = Object.fromEntries([...names, 'features'].map((name) => [name, 'photos']));
  return buildModel({ outputs: { features }, openAxes });
}

/** Taps (n, …) in the order of their plans → (n, F). */
export function featuresOf(plans: readonly TapPlan[], taps: readonly FloatTensor[]): FloatTensor {
  return concatenate(
    plans.map((plan, index) => pooled(plan, taps[index]!)),
    1,
  );
}

export function tapName(index: number): string {
  return `tap${index}`;
}

function tapInput({ shape }: TapPlan, index: number): FloatTensor {
  return input(tapName(index), 'float32', [openLength, ...shape]);
}

/** (n, …) → (n, cells² · channels) */
function pooled(plan: TapPlan, x: FloatTensor): FloatTensor {
  const { shape, channelsFirst, pool, extraTokens, tap } = plan;
  if (shape.length === 1) return x;
  const inOrder = channelsFirst ? transpose(x, [0, 2, 3, 1]) : x;
  const channels = tap.channels;
  const tokens = shape.reduce((product, length) => product * length, 1) / channels;
  const count = x.shape[0]!;
  const all = reshape(inOrder, [count, tokens, channels]);
  const flat = (kept: FloatTensor) => reshape(kept, [count, widthOf(tap)]);
  if (pool === 'class') return flat(split(all, [1, tokens - 1], 1)[0]!);
  const places = extraTokens === 0 ? all : split(all, [extraTokens, tokens - extraTokens], 1)[1]!;
  if (pool === 'mean') return flat(mean(places, [1]));
  const side = Math.sqrt(tokens - extraTokens);
  return flat(side === tap.cells ? places : matmul(gridCoverage(tap.cells, side), places));
}
