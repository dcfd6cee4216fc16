/**
 * Whitening of the cells of a grid: each from the mean of its place, along the principal components that the channels of all
 * cells share. Places stay apart, so that a head may still see where something is.
 */
import type { Random } from '../random.ts';
import type { ModelLoader } from '../runtime/engine.ts';
import type { Tap } from './taps.ts';
import { fitWhitening } from './whitening.ts';

/** Of each cell of a tap: channels · map + shift of its place. */
export interface GridWhitening {
  readonly tap: Tap;
  /** Of a cell: n. */
  readonly components: number;
  /** (C, n) */
  readonly map: Float32Array;
  /** (cells² · n) */
  readonly shift: Float32Array;
}

export interface GridWhiteningOptions {
  /** n at most: there are no more than channels. */
  readonly components: number;
  /** As `WhiteningOptions` has it. */
  readonly strength: number;
}

/** Numbers that are fitted on at most, tens of thousands of cells: fewer photos of larger grids. */
const mostNumbers = 2 ** 23;

/**
 * Fits every tap that is a grid.
 * @param rows features of photos (n, F), @param width F
 */
export async function fitGrids(
  rows: Float32Array,
  width: number,
  taps: readonly Tap[],
  options: GridWhiteningOptions,
  random: Random,
  engine: ModelLoader,
): Promise<readonly GridWhitening[]> {
  const fitted: GridWhitening[] = [];
  for (const tap of taps)
    if (tap.layout === 'grid') fitted.push(await fitGrid(rows, width, tap, options, random, engine));
  return fitted;
}

async function fitGrid(
  rows: Float32Array,
  width: number,
  tap: Tap,
  { components, strength }: GridWhiteningOptions,
  random: Random,
  engine: ModelLoader,
): Promise<GridWhitening> {
  const { channels, cells, from } = tap;
  const numbers = cells ** 2 * channels;
  const all = rows.length / width;
  const count = Math.max(1, Math.min(all, Math.floor(mostNumbers / numbers)));
  const some = new Float32Array(count * numbers);
  for (let place = 0; place < count; place++) {
    const start = Math.floor((place * all) / count) * width + from;
    some.set(rows.subarray(start, start + numbers), place * numbers);
  }
  const mean = new Float64Array(numbers);
  for (let at = 0; at < some.length; at++) mean[at % numbers]! += some[at]! / count;
  for (let at = 0; at < some.length; at++) some[at]! -= mean[at % numbers]!;
  const whitening = await fitWhitening(some, { components, strength, parts: [channels] }, random, engine);
  const { components: found, map, shift } = whitening;
  const ofPlaces = new Float32Array(cells ** 2 * found);
  for (let at = 0; at < ofPlaces.length; at++) {
    const [cell, component] = [Math.floor(at / found), at % found];
    let value = shift[component]!;
    for (let channel = 0; channel < channels; channel++)
      value -= mean[cell * channels + channel]! * map[channel * found + component]!;
    ofPlaces[at] = value;
  }
  return { tap, components: found, map, shift: ofPlaces };
}
