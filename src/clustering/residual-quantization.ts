/** Residual quantisation: an item as a few codes, each of which refines what those before it say. */
import { NONE } from '../data/dataset.ts';
import type { StoredEmbeddings } from '../data/embeddings/embeddings.ts';
import type { Progress } from '../progress.ts';
import type { Random } from '../random.ts';
import { type CentreSearch, rowOf, type SummedRows } from './centre-search.ts';
import { type KMeansOptions, kMeans } from './k-means.ts';
import { euclidean } from './space.ts';
import { presentItems, unitRows } from './unit-rows.ts';

export interface ResidualCodes {
  /** For each level the code of each item, NONE for an item whose vector is zero. L × (n) */
  readonly codes: readonly Int32Array[];
  /** For each level the mean of |x − its reconstruction so far|² over the items. (L) */
  readonly errors: readonly number[];
}

export interface ResidualQuantization extends ResidualCodes {
  /** For each level what each code adds to the reconstruction. L × (K, d) */
  readonly codebooks: readonly Float32Array[];
}

export interface ResidualOptions extends Omit<KMeansOptions, 'clusters'> {
  readonly levels: number;
  /** Codes K at each level. */
  readonly codes: number;
}

/** Width of the search that quantises embeddings of this length: its rows and centres have one more place. */
export function residualSearchWidth(dimension: number): number {
  return dimension + 1;
}

/**
 * Learns codebooks: at each level k-means of what the levels before left over (Juang and Gray, 1982; semantic ids of
 * Rajput et al., 2023). What is left over is of any length, so distances are Euclidean here and centres plain
 * means; so the error falls at each level.
 * @param search of `residualSearchWidth`
 * @throws CourierError VALUE_INVALID as sphericalKMeans does
 */
export async function residualQuantize(
  embeddings: StoredEmbeddings,
  { levels, codes: clusters, ...options }: ResidualOptions,
  search: CentreSearch,
  random: Random,
  progress: Progress,
  signal?: AbortSignal,
): Promise<ResidualQuantization> {
  const items = random.shuffle(presentItems(embeddings));
  const residuals = residualsOf(embeddings, items);
  const [codes, errors, codebooks]: [Int32Array[], number[], Float32Array[]] = [[], [], []];
  for (let level = 0; level < levels; level++) {
    const rows = level === 0 ? 'items' : `residuals of level ${level}`;
    const surroundings = { rows, space: euclidean, search, random, progress, signal };
    const found = await kMeans(residuals, { ...options, clusters }, surroundings);
    residuals.subtract(found.centres, found.clusterOf);
    codebooks.push(withoutLast(found.centres, embeddings.dimension));
    codes.push(spread(found.clusterOf, items, embeddings.ids.length));
    errors.push(residuals.meanSquare());
  }
  return { codes, errors, codebooks };
}

/**
 * The codes of other embeddings, by codebooks that were learned before: at each level the nearest.
 * @param codebooks L × (K, d)
 * @param search of `residualSearchWidth`
 * @throws CourierError VALUE_INVALID as sphericalKMeans does
 */
export async function encodeResiduals(
  embeddings: StoredEmbeddings,
  codebooks: readonly Float32Array[],
  search: CentreSearch,
  signal?: AbortSignal,
): Promise<ResidualCodes> {
  const items = presentItems(embeddings);
  const residuals = residualsOf(embeddings, items);
  const [codes, errors]: [Int32Array[], number[]] = [[], []];
  for (const codebook of codebooks) {
    const centres = asCentres(codebook, embeddings.dimension);
    const nearest = new Int32Array(items.length);
    await search.setCentres(centres);
    for await (const found of search.find(residuals)) {
      signal?.throwIfAborted();
      nearest.set(found.nearest, found.from);
    }
    residuals.subtract(centres, nearest);
    codes.push(spread(nearest, items, embeddings.ids.length));
    errors.push(residuals.meanSquare());
  }
  return { codes, errors };
}

/** The vectors that codes stand for: the sum of what each level adds; zero for NONE. (n, d) */
export function reconstruct(
  codes: readonly Int32Array[],
  codebooks: readonly Float32Array[],
  dimension: number,
): Float32Array {
  const vectors = new Float32Array((codes[0]?.length ?? 0) * dimension);
  for (const [level, ofLevel] of codes.entries()) {
    for (const [item, code] of ofLevel.entries()) {
      if (code === NONE) continue;
      for (let i = 0; i < dimension; i++)
        vectors[item * dimension + i]! += codebooks[level]![code * dimension + i]!;
    }
  }
  return vectors;
}

interface Residuals extends SummedRows {
  /** Takes its centre from each row. */
  subtract(centres: Float32Array, nearest: Int32Array): void;
  meanSquare(): number;
}

/** Rows (x, 1), as the Euclidean space wants them; at first x is of length 1. */
function residualsOf(embeddings: StoredEmbeddings, items: Int32Array): Residuals {
  const { dimension } = embeddings;
  const width = residualSearchWidth(dimension);
  const values = new Float32Array(items.length * width).fill(1);
  const squaredLengths = new Float64Array(items.length).fill(1);
  const whole = unitRows(embeddings, items);
  for (let row = 0; row < items.length; row++) values.set(rowOf(whole, row), row * width);
  return {
    count: items.length,
    read: (from, to) => values.slice(from * width, to * width),
    squaredLength: (index) => squaredLengths[index]!,
    addTo(sums, place, index, times) {
      for (let i = 0, at = index * width; i < width; i++, at++) sums[place + i]! += times * values[at]!;
    },
    subtract(centres, nearest) {
      for (const [row, centre] of nearest.entries()) {
        squaredLengths[row] = 0;
        for (let i = 0; i < dimension; i++) {
          values[row * width + i]! -= centres[centre * width + i]!;
          squaredLengths[row]! += values[row * width + i]! ** 2;
        }
      }
    },
    meanSquare: () => squaredLengths.reduce((sum, squared) => sum + squared, 0) / items.length,
  };
}

function withoutLast(centres: Float32Array, dimension: number): Float32Array {
  const width = residualSearchWidth(dimension);
  return Float32Array.from({ length: (centres.length / width) * dimension }, (_, place) => {
    return centres[Math.floor(place / dimension) * width + (place % dimension)]!;
  });
}

function asCentres(codebook: Float32Array, dimension: number): Float32Array {
  const width = residualSearchWidth(dimension);
  const centres = new Float32Array((codebook.length / dimension) * width);
  for (let centre = 0; centre < codebook.length / dimension; centre++) {
    const row = centres.subarray(centre * width, (centre + 1) * width);
    row.set(codebook.subarray(centre * dimension, (centre + 1) * dimension));
    euclidean.asCentre(row);
  }
  return centres;
}

function spread(ofRows: Int32Array, items: Int32Array, count: number): Int32Array {
  const codes = new Int32Array(count).fill(NONE);
  for (const [row, item] of items.entries()) codes[item] = ofRows[row]!;
  return codes;
}
