/** The centre with the largest inner product for each of many vectors: the one expensive part of clustering. */
import { usableCores } from '../cores.ts';
import { buildModel } from '../graph/onnx.ts';
import { apply } from '../graph/operator.ts';
import { cast, matmul, reshape } from '../graph/operators/index.ts';
import { type FloatTensor, input, integers, openLength, type Tensor } from '../graph/tensor.ts';
import type { Device } from '../runtime/device.ts';
import { Engine, type EngineState, floats, type Session } from '../runtime/engine.ts';
import type { Model } from '../runtime/model.ts';
import type { NamedValues } from '../runtime/protocol.ts';

/** Rows of one matrix, picked and put into order by their numbers. */
export interface RowSource {
  readonly count: number;
  /** The rows `from` … `to` − 1, in an array of their own. (to − from, width) */
  read(from: number, to: number): Float32Array;
  /** Of the vector that a row is. */
  squaredLength(index: number): number;
}

/** Rows of which sums are kept, too. */
export interface SummedRows extends RowSource {
  /** Adds so many times a row to the values from this place on. */
  addTo(sums: Float64Array, place: number, index: number, times: number): void;
}

/** One row, in an array of its own. (width) */
export function rowOf(source: RowSource, index: number): Float32Array {
  return source.read(index, index + 1);
}

/** What was found for the rows `from` … `from + nearest.length − 1`. */
export interface FoundChunk {
  readonly from: number;
  /** Number of the centre. Of equally good ones the first. (m) */
  readonly nearest: Int32Array;
  /** The inner product with it. (m) */
  readonly product: Float32Array;
}

interface SearchThread {
  readonly engine: Engine;
  readonly state: EngineState;
  readonly session: Session;
}

/** Scores (rows × centres) of a chunk: few enough to stay in a core's cache … */
const scoresInCache = 2 ** 19;
/** … unless that left too few rows for an efficient matrix product. */
const [fewestRows, mostRows] = [256, 4096];
/** Chunks that wait at each thread, so that none is idle while results are added up. */
const waiting = 2;
/** Each holds the centres once more. */
const mostThreads = 8;
/** Centres whose largest score is looked for first, and then among them which it is. */
const block = 32;

/**
 * Compute threads that search side by side, each a chunk of rows with one core: cores that shared a product would
 * wait for each other at the end of every operator. How many there are changes nothing in the results.
 */
export class CentreSearch {
  readonly width: number;
  readonly #threads: readonly SearchThread[];
  #centres = 0;

  private constructor(width: number, threads: readonly SearchThread[]) {
    this.width = width;
    this.#threads = threads;
  }

  /** The caller closes the search. @param width length of vectors and centres */
  static async open(width: number, device: Device = 'cpu'): Promise<CentreSearch> {
    const count = device === 'cpu' ? Math.min(usableCores(), mostThreads) : 1;
    const engines = Array.from({ length: count }, () => Engine.start({ device, threads: 1 }));
    const model = searchModel(width);
    try {
      const threads = engines.map(async (engine): Promise<SearchThread> => {
        const state = await engine.createState({ centres: new Float32Array(block * width) });
        return { engine, state, session: await engine.load(model, state) };
      });
      return new CentreSearch(width, await Promise.all(threads));
    } catch (error) {
      await Promise.all(engines.map((engine) => engine.close()));
      throw error;
    }
  }

  /** The centres among which to search from now on. (k, width) */
  async setCentres(centres: Float32Array): Promise<void> {
    this.#centres = centres.length / this.width;
    if (!Number.isInteger(this.#centres) || this.#centres < 1)
      throw new Error(`${centres.length} values are no centres of length ${this.width}`);
    const blocks = wholeBlocks(centres, this.width);
    await Promise.all(this.#threads.map(({ state }) => state.write({ centres: blocks })));
  }

  /**
   * The best centre for the rows `from` … `to` − 1 of a source. Chunks come in the order of the rows; what the caller
   * does with one goes on while the next are computed.
   */
  async *find(source: RowSource, from = 0, to = source.count): AsyncGenerator<FoundChunk> {
    const size = chunkRows(this.#centres);
    const pending: Promise<FoundChunk>[] = [];
    let next = from;
    let turn = 0;
    const send = () => {
      const thread = this.#threads[turn++ % this.#threads.length]!;
      const rows = source.read(next, Math.min(next + size, to));
      const sent = ask(thread, next, rows, this.#centres);
      // Taken up below in its turn; until then a failure must not count as unhandled.
      sent.catch(() => {});
      pending.push(sent);
      next += size;
    };
    while (next < to || pending.length > 0) {
      while (next < to && pending.length < waiting * this.#threads.length) send();
      yield await pending.shift()!;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ engine }) => engine.close()));
  }
}

/** Rows in a chunk: scores of at most `fewestRows` · k values, 100 MiB for 100,000 centres. */
export function chunkRows(centres: number): number {
  return Math.min(mostRows, Math.max(fewestRows, Math.floor(scoresInCache / centres)));
}

/** Centres in whole blocks: what is missing to one is the first centre, which was found before. */
function wholeBlocks(centres: Float32Array, width: number): Float32Array {
  const blocks = new Float32Array(Math.ceil(centres.length / width / block) * block * width);
  blocks.set(centres);
  for (let at = centres.length; at < blocks.length; at += width) blocks.set(centres.subarray(0, width), at);
  return blocks;
}

async function ask(
  { session }: SearchThread,
  from: number,
  rows: Float32Array,
  centres: number,
): Promise<FoundChunk> {
  const found = await session.run({}, { rows });
  const nearest = nearestOf(found);
  for (let i = 0; i < nearest.length; i++) if (nearest[i]! >= centres) nearest[i] = 0;
  return { from, nearest, product: floats(found, 'product') };
}

function nearestOf({ nearest }: NamedValues): Int32Array {
  if (nearest instanceof Int32Array) return nearest;
  throw new Error('the search gave no numbers of centres');
}

/**
 * rows (n, d), centres (k · d) → nearest (n), product (n). Both n and k are open.
 *
 * ONNX Runtime finds a maximum in half the time that it takes to find its place. So the maximum is found of each block of
 * centres, and places only of one among the blocks and of one within a block.
 */
function searchModel(width: number): Model {
  const rows = input('rows', 'float32', [openLength, width]);
  const centres = reshape(input('centres', 'float32', [openLength * width]), [openLength, width]); // (k, d)
  const scores = matmul(rows, centres, { transposeB: true }); // (n, k)
  // 0 keeps the number of rows.
  const blocks = apply(
    { type: 'Reshape', inputs: [scores, integers([0, -1, block])], gradient: null },
    'float32',
    [openLength, openLength, block],
  ); // (n, k / block, block)
  const best = placeOfLargest(largest(blocks, 2)); // (n, 1)
  const attributes = { batch_dims: { kind: 'int', value: 1 } } as const;
  const within = apply({ type: 'GatherND', inputs: [blocks, best], attributes, gradient: null }, 'float32', [
    openLength,
    block,
  ]);
  const nearest = apply(
    {
      type: 'Add',
      inputs: [
        apply({ type: 'Mul', inputs: [best, integers([block])], gradient: null }, 'int64', [openLength, 1]),
        placeOfLargest(within),
      ],
      gradient: null,
    },
    'int64',
    [openLength, 1],
  );
  return buildModel({
    outputs: { nearest: reshape(cast(nearest, 'int32'), [openLength]), product: largest(within, 1) },
    openAxes: { rows: 'rows', centres: 'values', nearest: 'rows', product: 'rows' },
  });
}

/** Of the values along the last axis: (…, l) → (…). */
function largest(values: FloatTensor, axis: number): FloatTensor {
  const attributes = { keepdims: { kind: 'int', value: 0 } } as const;
  const inputs = [values, integers([axis])];
  return apply(
    { type: 'ReduceMax', inputs, attributes, gradient: null },
    'float32',
    values.shape.slice(0, axis),
  );
}

/** Of each row, of equally large ones the first: (n, l) → (n, 1). */
function placeOfLargest(values: FloatTensor): Tensor<'int64'> {
  const attributes = {
    axis: { kind: 'int', value: 1 },
    keepdims: { kind: 'int', value: 1 },
  } as const;
  return apply({ type: 'ArgMax', inputs: [values], attributes, gradient: null }, 'int64', [
    values.shape[0]!,
    1,
  ]);
}
