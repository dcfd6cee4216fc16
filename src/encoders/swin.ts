/**
 * Swin transformer (Liu et al., ICCV 2021): attention within windows, shifted by half a window in every other
 * block, patches merged two by two between stages. Computes what torchvision's SwinTransformer computes, under
 * its parameter names, so that published weights fit.
 *
 * Letters in shapes: B photos, R rows and C columns of the map, W width of the stage, M side of a window,
 * N = M² places in it, n windows, H heads, D = W / H.
 */
import { z } from 'zod';
import { requireDivides } from '../config.ts';
import { CourierError } from '../errors.ts';
import { affineParameters, foldNorm, head, norm } from '../graph/layers.ts';
import {
  add,
  attend,
  erfGate,
  gather,
  inverseOrder,
  linear,
  matmul,
  multiply,
  padEnd,
  project,
  reorder,
  reshape,
  split,
  standardize,
  transpose,
} from '../graph/operators/index.ts';
import { glorot, normal, zeros } from '../graph/parameters.ts';
import { constant, type FloatTensor, parameter, scalar } from '../graph/tensor.ts';
import { type Encoder, pixelsOf } from './encoder.ts';
import { floatPatches, foldColours } from './patches.ts';
import {
  embeddingDimension,
  encoderNameMeaning,
  type ForPhotos,
  headSetting,
  layerWidth,
  mlpRatio,
  patchSide,
} from './settings.ts';

export const swinSettings = z.strictObject({
  name: z.literal('swin').describe(encoderNameMeaning),
  patch: patchSide
    .default(4)
    .describe("Side of the patches in pixels; must divide the side of the dataset's photos."),
  width: layerWidth.default(32).describe('Width of the first stage; each later one doubles it.'),
  depths: z
    .array(z.int().min(1).max(48))
    .min(1)
    .max(6)
    .default([2, 2, 2])
    .describe('Number of blocks of each stage.'),
  heads: z
    .array(z.int().min(1).max(64))
    .min(1)
    .max(6)
    .default([2, 4, 8])
    .describe('Heads of the attention of each stage; must divide its width.'),
  window: z.int().min(2).max(32).default(4).describe('Side of the attention windows, in patches.'),
  mlpRatio: mlpRatio.default(4),
  head: headSetting,
  dimension: embeddingDimension,
});

export type SwinConfig = ForPhotos<z.output<typeof swinSettings>>;

export function swin(config: SwinConfig): Encoder {
  const { side, patch, width, depths, heads } = config;
  requireDivides('encoder.patch', patch, "the photos' side", side);
  if (depths.length !== heads.length) throw unequalStages(depths.length, heads.length);
  for (const [stage, count] of heads.entries()) {
    requireDivides(`encoder.heads.${stage}`, count, `the width of stage ${stage},`, width * 2 ** stage);
  }
  return {
    sees: pixelsOf(config.side),
    dimension: config.dimension,
    forward(photos) {
      const { weight, bias } = patchEmbedding(config);
      const folded = foldColours(weight, bias);
      return swinForward(linear(floatPatches(photos, patch), folded.weight, folded.bias), config);
    },
  };
}

function unequalStages(depths: number, heads: number): CourierError {
  const problem = `encoder.depths has ${depths} stages and encoder.heads ${heads}`;
  return new CourierError(
    'CONFIG_INVALID',
    `Invalid configuration: ${problem}.`,
    'Give both a number for each stage.',
  );
}

/** Embedded patches (B, T, W) → embeddings (B, d). */
export function swinForward(patches: FloatTensor, config: SwinConfig): FloatTensor {
  const { side, patch, width, depths, heads, dimension } = config;
  const map = reshape(patches, [patches.shape[0]!, side / patch, side / patch, width]);
  let x = norm('encoder.features.0.2', map); // (B, R, C, W)
  for (const [stage, depth] of depths.entries()) {
    if (stage > 0) x = mergePatches(x, `encoder.features.${2 * stage}`);
    for (let index = 0; index < depth; index++) {
      const shift = index % 2 === 0 ? 0 : Math.floor(config.window / 2);
      x = block(x, `encoder.features.${2 * stage + 1}.${index}`, heads[stage]!, shift, config);
    }
  }
  const [batch, rows, columns, last] = x.shape;
  return head(reshape(norm('encoder.norm', x), [batch!, rows! * columns!, last!]), config.head, dimension);
}

/** A convolution whose steps are as long as its kernel is a linear map of each patch: (W, 3 patch²), (W). */
export function patchEmbedding({ patch, width }: SwinConfig) {
  const length = 3 * patch * patch;
  // Kept as torchvision's convolution keeps it, (W, 3, patch, patch).
  const kernel = parameter('encoder.features.0.0.weight', [width, 3, patch, patch], (shape, random) =>
    glorot([shape[0]!, length], random),
  );
  return {
    weight: reshape(transpose(kernel, [0, 2, 3, 1]), [width, length]),
    bias: parameter('encoder.features.0.0.bias', [width], zeros),
  };
}

/** Four neighbouring patches side by side, normalised and halved: (B, R, C, W) → (B, R/2, C/2, 2W). */
function mergePatches(x: FloatTensor, name: string): FloatTensor {
  const even = padEnd(padEnd(x, 1, x.shape[1]! % 2), 2, x.shape[2]! % 2);
  const [batch, rows, columns, width] = even.shape;
  const cut = reshape(even, [batch!, rows! / 2, 2, columns! / 2, 2, width!]);
  // torchvision's order: down the first column, then down the second.
  const merged = reshape(transpose(cut, [0, 1, 3, 4, 2, 5]), [batch!, rows! / 2, columns! / 2, 4 * width!]);
  const halving = parameter(`${name}.reduction.weight`, [2 * width!, 4 * width!], glorot);
  const { weight, bias } = foldNorm(`${name}.norm`, halving, null);
  return linear(standardize(merged), weight, bias);
}

function block(x: FloatTensor, name: string, heads: number, shift: number, config: SwinConfig): FloatTensor {
  const attended = add(x, windowAttention(x, name, heads, shift, config.window));
  return add(attended, perceptron(attended, name, config.mlpRatio));
}

/** Norm, then two linear maps with a GELU between, whose factors go into their weights. (B, R, C, W) */
function perceptron(x: FloatTensor, name: string, ratio: number): FloatTensor {
  const width = x.shape.at(-1)!;
  const up = affineParameters(`${name}.mlp.0`, width, width * ratio);
  const down = affineParameters(`${name}.mlp.3`, width * ratio, width);
  const { weight, bias } = foldNorm(`${name}.norm2`, up.weight, up.bias);
  const [before, after] = [scalar(Math.SQRT1_2), scalar(Math.SQRT2)];
  const hidden = erfGate(linear(standardize(x), multiply(weight, before), multiply(bias, before)));
  return linear(hidden, multiply(down.weight, after), down.bias);
}

/** Norm, then attention within windows of the map padded to whole windows and rolled by `shift`. (B, R, C, W) */
function windowAttention(x: FloatTensor, block: string, heads: number, shift: number, window: number) {
  const [batch, rows, columns, width] = x.shape;
  const name = `${block}.attn`;
  const [below, beside] = [missing(rows!, window), missing(columns!, window)];
  const { map, weight, bias } = normalizedForAttention(x, block, below + beside > 0);
  const padded = padEnd(padEnd(map, 1, below), 2, beside);
  const [, down, across] = padded.shape;
  // A map of a single window has nothing to shift.
  const shifts = { down: down! > window ? shift : 0, across: across! > window ? shift : 0 };
  const order = windowOrder(down!, across!, window, shifts);
  const [count, places] = [(down! * across!) / window ** 2, window ** 2];
  const ordered = reorder(reshape(padded, [batch!, down! * across!, width!]), 1, order);
  const windows = reshape(ordered, [batch! * count, places, width!]); // (B·n, N, W)

  const [queryWeight, keyWeight, valueWeight] = split(weight, [width!, width!, width!], 0);
  const [queryBias, , valueBias] = split(bias, [width!, width!, width!], 0);
  const length = width! / heads;
  const byHead = (part: FloatTensor) =>
    transpose(reshape(part, [batch! * count, places, heads, length]), [0, 2, 1, 3]); // (B·n, H, N, D)
  const query = byHead(linear(windows, queryWeight!, queryBias!));
  // A key's bias moves all scores of a query alike, which softmax does not see.
  const key = byHead(project(windows, keyWeight!));
  const value = byHead(project(windows, valueWeight!));
  const scores = matmul(query, key, { transposeB: true, alpha: 1 / Math.sqrt(length) }); // (B·n, H, N, N)
  const position = relativePositionBias(`${name}.relative_position_bias_table`, heads, window);
  const placed = addPerWindow(scores, position, seams(count, shifts, down!, across!, window));
  const mixed = transpose(attend(placed, value), [0, 2, 1, 3]); // (B·n, N, H, D)

  // Weights sum to 1, so a value's bias arrives whole at the output, whose bias it joins.
  const output = affineParameters(`${name}.proj`, width!, width!);
  const arrived = reshape(matmul(output.weight, reshape(valueBias!, [width!, 1])), [width!]);
  const merged = reshape(mixed, [batch! * count, places, width!]);
  const projected = linear(merged, output.weight, add(output.bias, arrived));
  const together = reshape(projected, [batch!, down! * across!, width!]);
  const back = reshape(reorder(together, 1, inverseOrder(order)), [batch!, down!, across!, width!]);
  return cropped(back, rows!, columns!);
}

/**
 * The normalised map and the weights of query, key and value for it. Padded places are zero after the norm's
 * shift, so where there are any, the norm cannot be folded into the weights.
 */
function normalizedForAttention(x: FloatTensor, block: string, pads: boolean) {
  const width = x.shape.at(-1)!;
  const { weight, bias } = affineParameters(`${block}.attn.qkv`, width, 3 * width);
  if (pads) return { map: norm(`${block}.norm1`, x), weight, bias };
  return { map: standardize(x), ...foldNorm(`${block}.norm1`, weight, bias) };
}

/** Where each place of each window comes from, in a map rolled up and to the left by `shifts`. */
function windowOrder(down: number, across: number, window: number, shifts: Shifts): readonly number[] {
  const places = window * window;
  const perRow = across / window;
  return Array.from({ length: down * across }, (_, index) => {
    const [tile, place] = [Math.floor(index / places), index % places];
    const row = Math.floor(tile / perRow) * window + Math.floor(place / window) + shifts.down;
    const column = (tile % perRow) * window + (place % window) + shifts.across;
    return (row % down) * across + (column % across);
  });
}

interface Shifts {
  readonly down: number;
  readonly across: number;
}

/** How many places are missing to whole windows. */
function missing(length: number, window: number): number {
  return (window - (length % window)) % window;
}

function cropped(x: FloatTensor, rows: number, columns: number): FloatTensor {
  const [, down, across] = x.shape;
  const upper = down === rows ? x : split(x, [rows, down! - rows], 1)[0]!;
  return across === columns ? upper : split(upper, [columns, across! - columns], 2)[0]!;
}

/** A learned score for each pair of places by their distance down and across: (1, H, N, N). */
function relativePositionBias(name: string, heads: number, window: number): FloatTensor {
  const places = window * window;
  const reach = 2 * window - 1;
  const index = Int32Array.from({ length: places * places }, (_, pair) => {
    const [from, to] = [Math.floor(pair / places), pair % places];
    const down = Math.floor(from / window) - Math.floor(to / window) + window - 1;
    return down * reach + (from % window) - (to % window) + window - 1;
  });
  const table = parameter(name, [reach * reach, heads], normal(0.02));
  const bias = gather(table, constant('int32', index, [places, places])); // (N, N, H)
  return reshape(transpose(bias, [2, 0, 1]), [1, heads, places, places]);
}

/** What two places of a rolled window score less when they were not neighbours before rolling. */
const seamPenalty = -100;

/** The penalty on every pair of places from different sides of a seam (n, N, N); null without seams. */
function seams(count: number, shifts: Shifts, down: number, across: number, window: number) {
  if (shifts.down === 0 && shifts.across === 0) return null;
  const side = (position: number, length: number, shift: number) =>
    position < length - window ? 0 : position < length - shift ? 1 : 2;
  const places = window * window;
  const perRow = across / window;
  const regions = Int32Array.from({ length: count * places }, (_, index) => {
    const [tile, place] = [Math.floor(index / places), index % places];
    const row = Math.floor(tile / perRow) * window + Math.floor(place / window);
    const column = (tile % perRow) * window + (place % window);
    return 3 * side(row, down, shifts.down) + side(column, across, shifts.across);
  });
  const mask = Float32Array.from({ length: count * places * places }, (_, index) => {
    const first = Math.floor(index / (places * places)) * places;
    const pair = index % (places * places);
    return regions[first + Math.floor(pair / places)] === regions[first + (pair % places)] ? 0 : seamPenalty;
  });
  return constant('float32', mask, [count, 1, places, places]);
}

/** Scores (B·n, H, N, N) plus those of positions (1, H, N, N) and seams (n, 1, N, N), summed beforehand. */
function addPerWindow(scores: FloatTensor, position: FloatTensor, seam: FloatTensor | null): FloatTensor {
  if (seam === null) return add(scores, position);
  const [total, heads, places] = scores.shape;
  const count = seam.shape[0]!;
  const perPhoto = reshape(scores, [total! / count, count, heads!, places!, places!]);
  return reshape(add(perPhoto, add(position, seam)), scores.shape);
}
