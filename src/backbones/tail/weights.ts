/** The weights of the trained part of a graph: as parameters, with low-rank changes, and written back into the file. */
import { elementTypes, type GraphProto, type NodeProto, type TensorProto } from '../../graph/onnx-schema.ts';
import { zeros } from '../../graph/parameters.ts';
import { constant, type FloatTensor, parameter, sizeOf } from '../../graph/tensor.ts';
import { namesTaken } from '../core.ts';
import { BackboneFault, exportAgain } from '../errors.ts';
import { nameInFile } from './cut.ts';
import type { WeightUse } from './value.ts';

/** An initialiser of the file. */
export interface Weight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** By their names in the core. */
export type Weights = ReadonlyMap<string, Weight>;

/** Added to scores, such a number hides them: no weight is so small. */
const hiding = -100;

/** What is more than one number among the floats of a graph, and no mask. @param wanted names that are looked at */
export function weightsOf({ initializer }: GraphProto, wanted: ReadonlySet<string>): Weights {
  return new Map(
    initializer.flatMap((tensor): [string, Weight][] => {
      if (!wanted.has(tensor.name)) return [];
      if (tensor.dataType !== elementTypes.float32 || sizeOf(tensor.dims) < 2) return [];
      const data = floatsOf(tensor);
      return isMask(data) ? [] : [[tensor.name, { shape: tensor.dims, data }]];
    }),
  );
}

function floatsOf({ name, dims, rawData, floatData = [] }: TensorProto): Float32Array {
  // Copied, since numbers must begin where they can.
  const bytes = new Uint8Array(rawData ?? []);
  const data =
    bytes.length % 4 === 0 && bytes.length > 0
      ? new Float32Array(bytes.buffer)
      : Float32Array.from(floatData);
  if (data.length === sizeOf(dims)) return data;
  const problem = `its weights ${nameInFile(name)} have ${data.length} numbers instead of (${dims.join(', ')}).`;
  throw new BackboneFault(problem, exportAgain);
}

function isMask(data: Float32Array): boolean {
  return data.some((value) => value <= hiding) && data.every((value) => value === 0 || value <= hiding);
}

interface LowRank {
  /** (I, r) */
  readonly a: FloatTensor;
  /** (r, O) */
  readonly b: FloatTensor;
}

/**
 * The weights of one graph, each as one tensor. All are parameters; or, with a rank r, they stay as they are, and the matrix
 * W (I, O) of a product is W + A B, of which A (I, r) and B (r, O) are parameters (LoRA, Hu et al., 2022): A is normal with
 * deviation 1/√I, B is zero, so that training begins with W.
 */
export class TailWeights {
  readonly #weights: Weights;
  readonly #rank: number | null;
  readonly #made = new Map<string, FloatTensor>();
  readonly #changes = new Map<string, LowRank>();

  constructor(weights: Weights, rank: number | null) {
    this.#weights = weights;
    this.#rank = rank;
  }

  get(name: string): FloatTensor | undefined {
    const weight = this.#weights.get(name);
    if (weight === undefined) return undefined;
    const { shape, data } = weight;
    const made =
      this.#made.get(name) ??
      (this.#rank === null
        ? parameter(parameterName(name), shape, () => data)
        : constant('float32', data, shape));
    this.#made.set(name, made);
    return made;
  }

  /** What is added to a matrix (I, O) of a product; null where it trains itself. */
  lowRank({ name, transposed }: WeightUse, [inputs = 1, outputs = 1]: readonly number[]): LowRank | null {
    if (this.#rank === null) return null;
    const key = parameterName(name, transposed ? 'ᵀ' : '');
    const rank = Math.min(this.#rank, inputs, outputs);
    const made = this.#changes.get(key) ?? {
      a: parameter(`${key}.a`, [inputs, rank], (shape, random) =>
        Float32Array.from({ length: sizeOf(shape) }, () => random.normal() / Math.sqrt(inputs)),
      ),
      b: parameter(`${key}.b`, [rank, outputs], zeros),
    };
    this.#changes.set(key, made);
    return made;
  }
}

/** In checkpoints. It does not end as weights do that decay: these start where they should rather stay. */
function parameterName(name: string, turned = ''): string {
  return `encoder.tail[${nameInFile(name)}]${turned}`;
}

/**
 * What initialisers have become.
 * @param values of parameters by their names, among others
 * @returns those that have changed, by their names in the file
 */
export function trainedWeights(
  weights: Weights,
  values: ReadonlyMap<string, Float32Array>,
): ReadonlyMap<string, Float32Array> {
  const trained = new Map<string, Float32Array>();
  for (const [name, { data, shape }] of weights) {
    const whole = values.get(parameterName(name));
    if (whole !== undefined) trained.set(nameInFile(name), whole.slice());
    for (const turned of ['', 'ᵀ']) {
      const key = parameterName(name, turned);
      const [a, b] = [values.get(`${key}.a`), values.get(`${key}.b`)];
      if (a === undefined || b === undefined) continue;
      const changed = trained.get(nameInFile(name)) ?? data.slice();
      const [rows = 1, columns = 1] = shape;
      if (turned === '') addProduct(changed, a, b, rows, columns, (row, column) => row * columns + column);
      else addProduct(changed, a, b, columns, rows, (row, column) => column * columns + row);
      trained.set(nameInFile(name), changed);
    }
  }
  return trained;
}

/** Adds A (I, r) times B (r, O), in double precision, to what stands where `at` says. */
function addProduct(
  into: Float32Array,
  a: Float32Array,
  b: Float32Array,
  inputs: number,
  outputs: number,
  at: (row: number, column: number) => number,
): void {
  const rank = a.length / inputs;
  for (let row = 0; row < inputs; row++) {
    for (let column = 0; column < outputs; column++) {
      let sum = 0;
      for (let place = 0; place < rank; place++) sum += a[row * rank + place]! * b[place * outputs + column]!;
      into[at(row, column)]! += sum;
    }
  }
}

/**
 * The graph with other weights for some of its nodes. What other nodes take as well stays, and stands there a second time under
 * another name.
 * @param ofNodes outputs of the nodes that get the new weights
 * @param trained by name
 */
export function withTrained(
  graph: GraphProto,
  ofNodes: ReadonlySet<string>,
  trained: ReadonlyMap<string, Float32Array>,
): GraphProto {
  const isTrained = ({ output }: NodeProto) => output.some((name) => ofNodes.has(name));
  const shared = new Set([
    ...graph.node.filter((node) => !isTrained(node)).flatMap(namesTaken),
    ...graph.output.map(({ name }) => name),
  ]);
  const own = (name: string) => (trained.has(name) && shared.has(name) ? `${name}/fine-tuned` : name);
  const initializer = graph.initializer.flatMap((tensor): TensorProto[] => {
    const data = trained.get(tensor.name);
    if (data === undefined) return [tensor];
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const changed = { ...tensor, name: own(tensor.name), rawData, floatData: [] };
    return changed.name === tensor.name ? [changed] : [tensor, changed];
  });
  const node = graph.node.map((each) => (isTrained(each) ? { ...each, input: each.input.map(own) } : each));
  return { ...graph, initializer, node };
}
