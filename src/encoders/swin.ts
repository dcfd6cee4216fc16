/**
 * Swin transformer (Liu et al., ICCV 2021): attention within windows, shifted by half a window in every other
 * block, patches merged two by two between stages. Computes what torchvision's SwinTransformer computes, under
 * its parameter names, so that published weights fit.
 *
 * Letters in shapes: B photos, R rows and C columns of the map, W width of the stage, M side of a window,
 * N = M² places in it, n windows, H heads, D = W / H.
 */
import { CourierError } from '../errors.ts';
import {
  add,
  gather,
  gelu,
  linear,
  matmul,
  padEnd,
  reshape,
  rollToFront,
  softmax,
  split,
  transpose,
} from '../graph/operators/index.ts';
import { glorot, normal, zeros } from '../graph/parameters.ts';
import { constant, type FloatTensor, parameter } from '../graph/tensor.ts';
import { type Encoder, normalizeColours, requireDivides } from './encoder.ts';
import { affine, type HeadName, head, norm } from './layers.ts';

export interface SwinConfig {
  readonly name: 'swin';
  /** Side of the photos and of the patches, in pixels. */
  readonly side: number;
  readonly patch: number;
  /** Width of the first stage; each later one doubles it. */
  readonly width: number;
  /** Blocks and heads of each stage. */
  readonly depths: readonly number[];
  readonly heads: readonly number[];
  /** Side of a window, in patches. */
  readonly window: number;
  readonly mlpRatio: number;
  readonly head: HeadName;
  /** Length of the embedding. */
  readonly dimension: number;
}

export function swin(config: SwinConfig): Encoder {
  const { side, patch, width, depths, heads } = config;
  requireDivides('encoder.patch', patch, "the photos' side", side);
  if (depths.length !== heads.length) throw unequalStages(depths.length, heads.length);
  for (const [stage, count] of heads.entries()) {
    requireDivides(`encoder.heads.${stage}`, count, `the width of stage ${stage},`, width * 2 ** stage);
  }
  return {
    side: config.side,
    dimension: config.dimension,
    forward: (photos) => swinForward(normalizeColours(photos), config),
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

/** Normalised photos (B, S, S, 3) → embeddings (B, d). */
export function swinForward(photos: FloatTensor, config: SwinConfig): FloatTensor {
  const { patch, width, depths, heads, dimension } = config;
  let x = norm('encoder.features.0.2', embedPatches(photos, patch, width)); // (B, R, C, W)
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

/** A convolution whose steps are as long as its kernel is a product with each patch. */
function embedPatches(photos: FloatTensor, patch: number, width: number): FloatTensor {
  const [batch, height, breadth] = photos.shape;
  const [rows, columns, length] = [height! / patch, breadth! / patch, 3 * patch * patch];
  const cut = reshape(photos, [batch!, rows, patch, columns, patch, 3]);
  const patches = reshape(transpose(cut, [0, 1, 3, 2, 4, 5]), [batch!, rows, columns, length]);
  // Kept as torchvision's convolution keeps it, (W, 3, patch, patch).
  const kernel = parameter('encoder.features.0.0.weight', [width, 3, patch, patch], (shape, random) =>
    glorot([shape[0]!, length], random),
  );
  const weight = reshape(transpose(kernel, [0, 2, 3, 1]), [width, length]);
  return linear(patches, weight, parameter('encoder.features.0.0.bias', [width], zeros));
}

/** Four neighbouring patches side by side, normalised and halved: (B, R, C, W) → (B, R/2, C/2, 2W). */
function mergePatches(x: FloatTensor, name: string): FloatTensor {
  const even = padEnd(padEnd(x, 1, x.shape[1]! % 2), 2, x.shape[2]! % 2);
  const [batch, rows, columns, width] = even.shape;
  const cut = reshape(even, [batch!, rows! / 2, 2, columns! / 2, 2, width!]);
  // torchvision's order: down the first column, then down the second.
  const merged = reshape(transpose(cut, [0, 1, 3, 4, 2, 5]), [batch!, rows! / 2, columns! / 2, 4 * width!]);
  const weight = parameter(`${name}.reduction.weight`, [2 * width!, 4 * width!], glorot);
  const flat = reshape(norm(`${name}.norm`, merged), [(batch! * rows! * columns!) / 4, 4 * width!]);
  return reshape(matmul(flat, weight, { transposeB: true }), [batch!, rows! / 2, columns! / 2, 2 * width!]);
}

function block(x: FloatTensor, name: string, heads: number, shift: number, config: SwinConfig): FloatTensor {
  const width = x.shape[3]!;
  const attended = add(
    x,
    windowAttention(norm(`${name}.norm1`, x), `${name}.attn`, heads, shift, config.window),
  );
  const hidden = gelu(affine(`${name}.mlp.0`, norm(`${name}.norm2`, attended), width * config.mlpRatio));
  return add(attended, affine(`${name}.mlp.3`, hidden, width));
}

/** Attention within windows, on a map padded to whole windows and rolled by `shift`. (B, R, C, W) */
function windowAttention(
  x: FloatTensor,
  name: string,
  heads: number,
  shift: number,
  window: number,
): FloatTensor {
  const [batch, rows, columns, width] = x.shape;
  const padded = padEnd(padEnd(x, 1, missing(rows!, window)), 2, missing(columns!, window));
  const [, down, across] = padded.shape;
  // A map of a single window has nothing to shift.
  const [shiftDown, shiftAcross] = [down! > window ? shift : 0, across! > window ? shift : 0];
  const rolled = rollToFront(rollToFront(padded, 1, shiftDown), 2, shiftAcross);
  const grid = [down! / window, across! / window] as const;
  const [count, places] = [grid[0] * grid[1], window * window];
  const cut = reshape(rolled, [batch!, grid[0], window, grid[1], window, width!]);
  const windows = reshape(transpose(cut, [0, 1, 3, 2, 4, 5]), [batch! * count, places, width!]); // (B·n, N, W)

  const length = width! / heads;
  const parts = split(affine(`${name}.qkv`, windows, 3 * width!), [width!, width!, width!], 2);
  const [query, key, value] = parts.map((part) =>
    transpose(reshape(part, [batch! * count, places, heads, length]), [0, 2, 1, 3]),
  ); // (B·n, H, N, D)
  const scores = matmul(query!, key!, { transposeB: true, alpha: 1 / Math.sqrt(length) }); // (B·n, H, N, N)
  const biased = add(scores, relativePositionBias(`${name}.relative_position_bias_table`, heads, window));
  const weights = softmax(maskedAcrossSeams(biased, count, shiftDown, shiftAcross, down!, across!, window));
  const mixed = transpose(matmul(weights, value!), [0, 2, 1, 3]); // (B·n, N, H, D)
  const projected = affine(`${name}.proj`, reshape(mixed, [batch! * count, places, width!]), width!);

  const apart = reshape(projected, [batch!, grid[0], grid[1], window, window, width!]);
  const together = reshape(transpose(apart, [0, 1, 3, 2, 4, 5]), [batch!, down!, across!, width!]);
  const back = rollToFront(rollToFront(together, 1, down! - shiftDown), 2, across! - shiftAcross);
  return cropped(back, rows!, columns!);
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

/** (B·n, H, N, N) with the penalty on every pair of places from different sides of a seam. */
function maskedAcrossSeams(
  scores: FloatTensor,
  count: number,
  shiftDown: number,
  shiftAcross: number,
  down: number,
  across: number,
  window: number,
): FloatTensor {
  if (shiftDown === 0 && shiftAcross === 0) return scores;
  const side = (position: number, length: number, shift: number) =>
    position < length - window ? 0 : position < length - shift ? 1 : 2;
  const places = window * window;
  const perRow = across / window;
  const regions = Int32Array.from({ length: count * places }, (_, index) => {
    const [tile, place] = [Math.floor(index / places), index % places];
    const row = Math.floor(tile / perRow) * window + Math.floor(place / window);
    const column = (tile % perRow) * window + (place % window);
    return 3 * side(row, down, shiftDown) + side(column, across, shiftAcross);
  });
  const mask = Float32Array.from({ length: count * places * places }, (_, index) => {
    const first = Math.floor(index / (places * places)) * places;
    const pair = index % (places * places);
    return regions[first + Math.floor(pair / places)] === regions[first + (pair % places)] ? 0 : seamPenalty;
  });
  const [total, heads] = scores.shape;
  const perPhoto = reshape(scores, [total! / count, count, heads!, places, places]);
  const masked = add(perPhoto, constant('float32', mask, [1, count, 1, places, places]));
  return reshape(masked, scores.shape);
}
