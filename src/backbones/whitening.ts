/**
 * Whitening of features: from their mean, along their principal components, which are made equally wide or nearly so. Raw features
 * of pretrained networks have a mean that makes all cosines large, and few directions that drown the others.
 *
 * Components are found by a randomised range finder with power iterations (Halko, Martinsson and Tropp, SIAM Review 2011,
 * algorithms 4.4 and 5.1), since the features of a grid are too many for their covariance. The large products run on the engine.
 */

import { buildModel } from '../graph/onnx.ts';
import { matmul, transpose } from '../graph/operators/index.ts';
import { input, openLength } from '../graph/tensor.ts';
import { symmetricEigen } from '../linear-algebra/symmetric-eigen.ts';
import type { Random } from '../random.ts';
import { floats, type ModelLoader, type Session } from '../runtime/engine.ts';

/** projected = features · map + shift */
export interface Whitening {
  /** Of a projection: k. */
  readonly components: number;
  /** (F, k) */
  readonly map: Float32Array;
  /** (k) */
  readonly shift: Float32Array;
}

export interface WhiteningOptions {
  /** k at most: there are no more than features, and fewer than rows. */
  readonly components: number;
  /** How far components are made equally wide: 0 leaves their widths, 1 makes them equal, 1/2 takes the square root. */
  readonly strength: number;
  /** Widths of parts of the features, such as the taps of a network: each counts as much as any other. */
  readonly parts: readonly number[];
}

/** Directions beside those that are wanted, and how often rows go through: so that these are found nearly exactly. */
const [besides, passes] = [64, 3];

/** Rows of a product at a time: at least so many, and more where they are short. */
const fewestRows = 512;
const numbersAtATime = 2 ** 21;

/** A direction along which rows vary less than by this share of the widest is rounding, not data. */
const negligible = 1e-5;

/**
 * Fits on rows that are all in memory. @param rows (n, F), which are centred and scaled in place
 * @returns a projection whose components have variance 1 on average
 */
export async function fitWhitening(
  rows: Float32Array,
  { components, strength, parts }: WhiteningOptions,
  random: Random,
  engine: ModelLoader,
): Promise<Whitening> {
  const width = parts.reduce((sum, part) => sum + part, 0);
  const count = rows.length / width;
  const mean = centre(rows, width);
  const scale = equalise(rows, width, parts);
  const directions = Math.min(components + besides, width, count);
  const products = await Products.load(engine, width, directions);
  let basis: Float32Array = Float32Array.from({ length: width * directions }, () => random.normal());
  for (let pass = 0; pass < passes; pass++)
    basis = await products.back(rows, await products.orthonormal(await products.times(rows, basis)));
  // rows ≈ Q Bᵀ with orthonormal Q: turned by the eigenvectors of Bᵀ B, the columns of B are right singular vectors, each as long
  // as its singular value. Their lengths are taken from them: small eigenvalues of a product would be rounding.
  const { vectors } = symmetricEigen(await products.gram(basis), directions);
  const turned = await products.turned(basis, transposed(vectors, directions));
  await products.release();
  const lengths = lengthsOf(turned, directions);
  const small = lengths.findIndex((length) => !(length > negligible * lengths[0]!));
  const found = Math.min(components, small === -1 ? directions : small);
  const gains = gainsOf(
    lengths.slice(0, found).map((length) => length ** 2 / count),
    strength,
  ).map((gain, component) => gain / lengths[component]!);
  const map = new Float32Array(width * found);
  const shift = new Float64Array(found);
  for (let feature = 0; feature < width; feature++) {
    for (let component = 0; component < found; component++) {
      const direction = turned[feature * directions + component]! * scale[feature]!;
      const value = Math.fround(direction * gains[component]!);
      map[feature * found + component] = value;
      shift[component]! -= mean[feature]! * value;
    }
  }
  return { components: found, map, shift: Float32Array.from(shift) };
}

/** Takes the mean of each column away. @returns it (F) */
function centre(rows: Float32Array, width: number): Float64Array {
  const mean = new Float64Array(width);
  for (let at = 0; at < rows.length; at++) mean[at % width]! += rows[at]!;
  const count = rows.length / width;
  for (let column = 0; column < width; column++) mean[column]! /= count;
  for (let at = 0; at < rows.length; at++) rows[at]! -= mean[at % width]!;
  return mean;
}

/** Gives each part a variance of 1, all its columns together. @returns the factor of each column (F) */
function equalise(rows: Float32Array, width: number, parts: readonly number[]): Float64Array {
  const partOf = parts.flatMap((length, part) => Array<number>(length).fill(part));
  const squares = new Float64Array(parts.length);
  for (let at = 0; at < rows.length; at++) squares[partOf[at % width]!]! += rows[at]! ** 2;
  const count = rows.length / width;
  const factors = squares.map((sum) => (sum === 0 ? 0 : 1 / Math.sqrt(sum / count)));
  const scale = Float64Array.from(partOf, (part) => factors[part]!);
  for (let at = 0; at < rows.length; at++) rows[at]! *= scale[at % width]!;
  return scale;
}

/** Of square matrices, as float32. */
function transposed(matrix: Float64Array, side: number): Float32Array {
  return Float32Array.from(matrix, (_, at) => matrix[(at % side) * side + Math.floor(at / side)]!);
}

/** Lengths of columns. */
function lengthsOf(matrix: Float32Array, columns: number): Float64Array {
  const squares = new Float64Array(columns);
  for (let at = 0; at < matrix.length; at++) squares[at % columns]! += matrix[at]! ** 2;
  return squares.map(Math.sqrt);
}

/** What each component is multiplied by, so that the mean of their variances is 1. */
function gainsOf(variances: Float64Array, strength: number): Float64Array {
  const gains = variances.map((variance) => variance ** (-strength / 2));
  const total = gains.reduce((sum, gain, place) => sum + gain ** 2 * variances[place]!, 0);
  const common = Math.sqrt(gains.length / total);
  return gains.map((gain) => gain * common);
}

type Sessions = Readonly<Record<'times' | 'back' | 'gram' | 'turn', Session>>;

/** Products with tall matrices, some rows at a time. n rows, F features, l directions. */
class Products {
  readonly #width: number;
  readonly #directions: number;
  readonly #sessions: Sessions;

  private constructor(width: number, directions: number, sessions: Sessions) {
    this.#width = width;
    this.#directions = directions;
    this.#sessions = sessions;
  }

  static async load(engine: ModelLoader, width: number, directions: number): Promise<Products> {
    const tall = (columns: number) => (name: string) => input(name, 'float32', [openLength, columns]);
    const [rows, seen, other] = [tall(width)('rows'), tall(directions)('seen'), tall(directions)('other')];
    const basis = input('basis', 'float32', [width, directions]);
    const turn = input('turn', 'float32', [directions, directions]);
    const across = (x: typeof seen) => transpose(x, [1, 0]);
    const load = (result: typeof rows, ...open: readonly string[]) => {
      const openAxes = Object.fromEntries(open.map((name) => [name, 'rows']));
      return engine.load(buildModel({ outputs: { result }, openAxes }));
    };
    return new Products(width, directions, {
      times: await load(matmul(rows, basis), 'rows', 'result'),
      back: await load(matmul(across(rows), seen), 'rows', 'seen'),
      gram: await load(matmul(across(seen), other), 'seen', 'other'),
      turn: await load(matmul(seen, turn), 'seen', 'result'),
    });
  }

  /** (n, F) · (F, l) → (n, l) */
  async times(rows: Float32Array, basis: Float32Array): Promise<Float32Array> {
    const count = rows.length / this.#width;
    const product = new Float32Array(count * this.#directions);
    for (const { from, to } of spans(count, this.#width)) {
      const part = rows.slice(from * this.#width, to * this.#width);
      const result = await this.#sessions.times.run({ rows: part, basis });
      product.set(floats(result, 'result'), from * this.#directions);
    }
    return product;
  }

  /** (n, F)ᵀ · (n, l) → (F, l) */
  async back(rows: Float32Array, seen: Float32Array): Promise<Float32Array> {
    const product = new Float32Array(this.#width * this.#directions);
    for (const { from, to } of spans(rows.length / this.#width, this.#width)) {
      const result = await this.#sessions.back.run({
        rows: rows.slice(from * this.#width, to * this.#width),
        seen: seen.slice(from * this.#directions, to * this.#directions),
      });
      addTo(product, floats(result, 'result'));
    }
    return product;
  }

  /** (n, l)ᵀ · (n, l) → (l, l), symmetric to the last bit */
  async gram(seen: Float32Array): Promise<Float64Array> {
    const directions = this.#directions;
    const sum = new Float64Array(directions * directions);
    for (const { from, to } of spans(seen.length / directions, directions)) {
      const part = seen.slice(from * directions, to * directions);
      addTo(sum, floats(await this.#sessions.gram.run({ seen: part, other: part }), 'result'));
    }
    for (let row = 0; row < directions; row++) {
      for (let column = 0; column < row; column++) {
        const mean = (sum[row * directions + column]! + sum[column * directions + row]!) / 2;
        sum[row * directions + column] = mean;
        sum[column * directions + row] = mean;
      }
    }
    return sum;
  }

  /** Columns of the same span that are orthonormal, or zero where the rank is less: twice, since once leaves rounding. */
  async orthonormal(seen: Float32Array): Promise<Float32Array> {
    return this.#orthogonalised(await this.#orthogonalised(seen));
  }

  async #orthogonalised(seen: Float32Array): Promise<Float32Array> {
    const directions = this.#directions;
    const { values, vectors } = symmetricEigen(await this.gram(seen), directions);
    const turn = new Float32Array(directions * directions);
    for (let to = 0; to < directions; to++) {
      if (!(values[to]! > negligible ** 2 * values[0]!)) continue;
      for (let from = 0; from < directions; from++)
        turn[from * directions + to] = vectors[to * directions + from]! / Math.sqrt(values[to]!);
    }
    return this.turned(seen, turn);
  }

  /** (n, l) · (l, l) → (n, l) */
  async turned(seen: Float32Array, turn: Float32Array): Promise<Float32Array> {
    const directions = this.#directions;
    const turned = new Float32Array(seen.length);
    for (const { from, to } of spans(seen.length / directions, directions)) {
      const part = seen.slice(from * directions, to * directions);
      turned.set(floats(await this.#sessions.turn.run({ seen: part, turn }), 'result'), from * directions);
    }
    return turned;
  }

  async release(): Promise<void> {
    for (const session of Object.values(this.#sessions)) await session.release();
  }
}

function* spans(count: number, width: number): Generator<{ readonly from: number; readonly to: number }> {
  const rows = Math.max(fewestRows, Math.floor(numbersAtATime / width));
  for (let from = 0; from < count; from += rows) yield { from, to: Math.min(count, from + rows) };
}

function addTo(sum: Float32Array | Float64Array, values: Float32Array): void {
  for (let at = 0; at < sum.length; at++) sum[at]! += values[at]!;
}
