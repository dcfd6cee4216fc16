/**
 * A ranker being trained: its graph in the compute thread, its embedding table here. Where several processes train it together,
 * each takes its share of every batch, and the table lies in shards.
 */
import { Exchange } from '../collectives/exchange.ts';
import { oneProcess } from '../collectives/one-process.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import { divide, multiply, sigmoid, softplus, subtract, sumAll } from '../graph/operators/index.ts';
import { initialValues, namedParts, type ParameterLayout } from '../graph/parameters.ts';
import { type FloatTensor, input } from '../graph/tensor.ts';
import { buildInference } from '../graph/training-step.ts';
import { Random } from '../random.ts';
import { type Engine, EngineScope, type EngineState, type Session } from '../runtime/engine.ts';
import { requireSameState } from '../runtime/same-state.ts';
import type { Batch, BatchAssembler } from './batch.ts';
import type { RankerConfig } from './config.ts';
import { type DenseStep, denseOptimizer, sharedStep, wholeStep } from './dense-step.ts';
import { PartOrder, separateParts } from './embedded-parts.ts';
import { EmbeddingTable, type TableOptions, type TableState } from './embedding-table.ts';
import { lookupsOf } from './fields.ts';
import { growVector } from './grow.ts';
import { logitOf } from './index.ts';
import { gateParameter, rankerInputs } from './inputs.ts';
import type { RankerTable } from './ranker-table.ts';
import { feedsOf, RankerScorer } from './scorer.ts';
import { ShardedTable } from './sharded-table.ts';
import { type SparseOptimizer, sparseOptimizers } from './sparse-optimizers.ts';

/** The parameters, and what else is of their length, by name. (P) each */
export type Vectors = Readonly<Record<string, Float32Array>> & { readonly parameters: Float32Array };

/**
 * All that a ranker has learned, what its optimisers remember included: enough to go on. In each of several processes that train
 * it together: with the rows of the table that it holds.
 */
export interface RankerState {
  readonly layout: ParameterLayout;
  /** Parameters and the optimiser's slots. */
  readonly vectors: Vectors;
  readonly table: TableState;
  /** Steps so far. */
  readonly step: number;
}

/** What a ranker scores with: all that it has learned, but not what its optimisers remember. */
export interface RankerWeights {
  readonly layout: ParameterLayout;
  /** (P) */
  readonly parameters: Float32Array;
  /** Without slots. */
  readonly table: TableState;
}

/** A batch, and the rows that it looks up in the order of its parts. */
export interface PreparedBatch {
  readonly batch: Batch;
  readonly lookups: Int32Array;
}

/** Steps from one look at whether all processes have the same parameters to the next. */
const agreementInterval = 50;

export class RankerModel {
  readonly scorer: RankerScorer;
  readonly #assembler: BatchAssembler;
  readonly #learningRate: number;
  readonly #table: RankerTable;
  readonly #parts: PartOrder;
  readonly #layout: ParameterLayout;
  readonly #state: EngineState;
  readonly #scratch: Readonly<Record<string, Float32Array>>;
  readonly #dense: DenseStep;
  readonly #scope: EngineScope;
  readonly #group: ProcessGroup;
  readonly #exchange: Exchange;
  #step: number;

  private constructor(
    assembler: BatchAssembler,
    learningRate: number,
    table: RankerTable,
    graph: {
      readonly layout: ParameterLayout;
      readonly state: EngineState;
      readonly scratch: Readonly<Record<string, Float32Array>>;
      readonly dense: DenseStep;
      readonly inference: Session;
      readonly scope: EngineScope;
    },
    step: number,
    group: ProcessGroup,
    exchange: Exchange,
  ) {
    this.scorer = new RankerScorer(assembler, table, graph.inference, group);
    this.#assembler = assembler;
    this.#learningRate = learningRate;
    this.#table = table;
    this.#parts = new PartOrder(assembler.fields.layout);
    this.#layout = graph.layout;
    this.#state = graph.state;
    this.#scratch = graph.scratch;
    this.#dense = graph.dense;
    this.#scope = graph.scope;
    this.#group = group;
    this.#exchange = exchange;
    this.#step = step;
  }

  /**
   * Builds and compiles the graph. The caller releases the model.
   * @param base what another ranker has learned, whose parameters are the leading blocks of this one's; null to
   * begin from nothing
   * @param group the processes that train it together; the assembler's batches are their shares
   */
  static async create(
    assembler: BatchAssembler,
    config: RankerConfig,
    seed: number,
    engine: Engine,
    base: RankerState | null = null,
    group: ProcessGroup = oneProcess,
  ): Promise<RankerModel> {
    const { embedded, logits, loss } = graphOf(assembler, config);
    const parts = Object.fromEntries(
      Object.entries(embedded).map(([name, tensor]) => [`embedded.${name}`, tensor]),
    );
    const exchange = new Exchange(group);
    const plan = group.size === 1 ? wholeStep(loss, parts) : sharedStep(loss, parts, exchange);
    const { layout, parameters, scratch } = plan;
    const sparseOptimizer = sparseOptimizers[config.tableOptimizer];
    const table =
      group.size === 1
        ? createTable(assembler, config, sparseOptimizer, seed)
        : createShards(assembler, config, sparseOptimizer, seed, group, exchange);
    if (base !== null) table.restore(base.table);
    const fresh = {
      parameters: initialValues(parameters, Random.seeded(seed, 'ranker parameters')),
      ...Object.fromEntries(denseOptimizer.slots.map((slot) => [slot, new Float32Array(layout.size)])),
    };
    const scope = new EngineScope(engine);
    const begin = base === null ? fresh : grown(base, layout, fresh);
    const state = await scope.createState({ ...begin, ...scratch });
    const dense = await plan.load(scope, state);
    const inference = await scope.load(buildInference({ scores: sigmoid(logits) }, layout), state);
    const graph = { layout, state, scratch, dense, inference, scope };
    const step = base?.step ?? 0;
    return new RankerModel(assembler, config.learningRate, table, graph, step, group, exchange);
  }

  /** A batch whose turn comes later, or now. While another one is computed it costs no time. */
  async prepare(batch: Batch): Promise<PreparedBatch> {
    const lookups = this.#parts.order(batch.lookups);
    await this.#table.announce(lookups);
    return { batch, lookups };
  }

  /**
   * One training step.
   * @param meanwhile is done while the compute thread is busy
   * @returns the loss before it, of the whole batch where this is a share of one
   */
  async train(
    { batch, lookups }: PreparedBatch,
    meanwhile: () => Promise<void> = async () => {},
  ): Promise<number> {
    const place = { step: ++this.#step, learningRate: this.#learningRate };
    const embedded = await this.#table.lookUp(lookups);
    const gradient = this.#table.roomForGradient(lookups.length);
    const running = this.#dense.begin(
      {
        ...feedsOf(batch, this.#assembler),
        labels: batch.labels,
        weights: batch.weights,
        count: Float32Array.of(batch.wholeCount),
      },
      this.#parts.named(embedded),
      this.#parts.named(gradient, 'gradient.'),
      place,
    );
    const prepared = this.#table.prepareUpdate(lookups);
    const [begun] = await Promise.all([running, meanwhile()]);
    const [loss] = await Promise.all([this.#dense.end(begun, place), this.#table.update(prepared, gradient)]);
    if (this.#step % agreementInterval === 0) await requireSameState(this.#group, this.#state, this.#step);
    return loss;
  }

  /** What it took so far to bring rows and gradients to other processes. */
  get communication(): Exchange['figures'] {
    return this.#exchange.figures;
  }

  async state(): Promise<RankerState> {
    const vectors = await this.#vectors();
    return { layout: this.#layout, vectors, table: this.#table.state(), step: this.#step };
  }

  async weights(): Promise<RankerWeights> {
    const { parameters } = await this.#vectors();
    return { layout: this.#layout, parameters, table: this.#table.values() };
  }

  /** Puts a state of this very model back. */
  async restore({ vectors, table, step }: RankerState): Promise<void> {
    await this.#state.write({ ...vectors, ...this.#scratch });
    this.#table.restore(table);
    this.#step = step;
  }

  release(): Promise<void> {
    return this.#scope.release();
  }

  async #vectors(): Promise<Vectors> {
    const names = ['parameters', ...denseOptimizer.slots];
    const { parameters, ...slots } = await this.#state.read(names);
    if (parameters === undefined) throw new Error('the ranker has no parameters');
    return { parameters, ...slots };
  }
}

/** The embeddings of all ids that an assembler knows, as they start for a seed. */
export function createTable(
  { fields, batchSize }: Pick<BatchAssembler, 'fields' | 'batchSize'>,
  config: RankerConfig,
  sparseOptimizer: SparseOptimizer,
  seed: number,
): EmbeddingTable {
  return new EmbeddingTable(tableOptions({ fields, batchSize }, config, sparseOptimizer), keyOf(seed));
}

/** The same in shards, one for each process. The assembler's batches are their shares. */
function createShards(
  assembler: BatchAssembler,
  config: RankerConfig,
  sparseOptimizer: SparseOptimizer,
  seed: number,
  group: ProcessGroup,
  exchange: Exchange,
): RankerTable {
  return new ShardedTable(tableOptions(assembler, config, sparseOptimizer), keyOf(seed), group, exchange);
}

function tableOptions(
  { fields, batchSize }: Pick<BatchAssembler, 'fields' | 'batchSize'>,
  config: RankerConfig,
  optimizer: SparseOptimizer,
): TableOptions {
  return {
    rows: fields.tableRows,
    dimension: config.embeddingDimension,
    lookups: batchSize * lookupsOf(fields.layout),
    optimizer,
    learningRate: config.tableLearningRate,
    decay: config.tableDecay,
  };
}

function keyOf(seed: number): Random {
  return Random.seeded(seed, 'ranker embeddings');
}

/** How far each category lets the visual side through, in [0, 1]; empty for a ranker without images. (C) */
export function gatesOf({ layout, vectors }: RankerState): Float32Array {
  const logits = namedParts(layout, vectors.parameters).get(gateParameter);
  return (logits ?? new Float32Array()).map((logit) => 1 / (1 + Math.exp(-logit)));
}

function grown(
  base: RankerState,
  layout: ParameterLayout,
  fresh: Readonly<Record<string, Float32Array>>,
): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(fresh).map(([name, values]) => {
      const before = base.vectors[name];
      if (before === undefined) throw new Error(`the state to start from has no ${name}`);
      return [name, growVector(base.layout, before, layout, values)];
    }),
  );
}

function graphOf(assembler: BatchAssembler, config: RankerConfig) {
  const { batchSize } = assembler;
  const { embeddingDimension } = config;
  const embedded = separateParts(assembler.fields.layout, batchSize, embeddingDimension);
  const logits = logitOf(rankerInputs(assembler, embedded, embeddingDimension), config);
  const labels = input('labels', 'float32', [batchSize, 1]);
  const weights = input('weights', 'float32', [batchSize, 1]);
  const count = input('count', 'float32', []);
  return { embedded, logits, loss: crossEntropy(logits, labels, weights, count) };
}

/**
 * Σ w · (log(1 + e^x) − y x) / n: binary cross-entropy on logits. All (B, 1).
 * @param count n, the exposures of the whole batch: the losses of its shares add up to its own. ()
 */
function crossEntropy(
  logits: FloatTensor,
  labels: FloatTensor,
  weights: FloatTensor,
  count: FloatTensor,
): FloatTensor {
  const each = subtract(softplus(logits), multiply(labels, logits));
  return divide(sumAll(multiply(weights, each)), count);
}
