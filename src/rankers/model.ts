/** A ranker being trained: its graph in the compute thread, its embedding table here. */
import { divide, multiply, sigmoid, softplus, subtract, sumAll } from '../graph/operators/index.ts';
import { createOptimizer } from '../graph/optimizers.ts';
import { initialValues, namedParts, type ParameterLayout } from '../graph/parameters.ts';
import { type FloatTensor, input } from '../graph/tensor.ts';
import { buildInference, buildTrainingStep, scalarFeeds } from '../graph/training-step.ts';
import { Random } from '../random.ts';
import { type Engine, EngineScope, type EngineState, floats, type Session } from '../runtime/engine.ts';
import type { Batch, BatchAssembler } from './batch.ts';
import type { RankerConfig } from './config.ts';
import { PartOrder, separateParts } from './embedded-parts.ts';
import { EmbeddingTable, type TableState } from './embedding-table.ts';
import { lookupsOf } from './fields.ts';
import { growVector } from './grow.ts';
import { logitOf } from './index.ts';
import { gateParameter, rankerInputs } from './inputs.ts';
import { feedsOf, RankerScorer } from './scorer.ts';
import { type SparseOptimizer, sparseOptimizers } from './sparse-optimizers.ts';

/** The parameters, and what else is of their length, by name. (P) each */
export type Vectors = Readonly<Record<string, Float32Array>> & { readonly parameters: Float32Array };

/** All that a ranker has learned, what its optimisers remember included: enough to go on. */
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

/** Trains all but the embeddings of ids. */
const optimizer = createOptimizer({ name: 'adam', weightDecay: 0 });

export class RankerModel {
  readonly scorer: RankerScorer;
  readonly #assembler: BatchAssembler;
  readonly #learningRate: number;
  readonly #table: EmbeddingTable;
  readonly #parts: PartOrder;
  readonly #layout: ParameterLayout;
  readonly #state: EngineState;
  readonly #training: Session;
  readonly #scope: EngineScope;
  #step: number;

  private constructor(
    assembler: BatchAssembler,
    learningRate: number,
    table: EmbeddingTable,
    graph: {
      readonly layout: ParameterLayout;
      readonly state: EngineState;
      readonly training: Session;
      readonly inference: Session;
      readonly scope: EngineScope;
    },
    step: number,
  ) {
    this.scorer = new RankerScorer(assembler, table, graph.inference);
    this.#assembler = assembler;
    this.#learningRate = learningRate;
    this.#table = table;
    this.#parts = new PartOrder(assembler.fields.layout);
    this.#layout = graph.layout;
    this.#state = graph.state;
    this.#training = graph.training;
    this.#scope = graph.scope;
    this.#step = step;
  }

  /**
   * Builds and compiles the graph. The caller releases the model.
   * @param base what another ranker has learned, whose parameters are the leading blocks of this one's; null to
   * begin from nothing
   */
  static async create(
    assembler: BatchAssembler,
    config: RankerConfig,
    seed: number,
    engine: Engine,
    base: RankerState | null = null,
  ): Promise<RankerModel> {
    const { embedded, logits, loss } = graphOf(assembler, config);
    const { model, parameters, layout } = buildTrainingStep(loss, {
      optimizer,
      clipNorm: null,
      inputGradients: Object.fromEntries(
        Object.entries(embedded).map(([name, tensor]) => [`embedded.${name}`, tensor]),
      ),
    });
    const table = createTable(assembler, config, sparseOptimizers[config.tableOptimizer], seed);
    if (base !== null) table.restore(base.table);
    const fresh = {
      parameters: initialValues(parameters, Random.seeded(seed, 'ranker parameters')),
      ...Object.fromEntries(optimizer.slots.map((slot) => [slot, new Float32Array(layout.size)])),
    };
    const scope = new EngineScope(engine);
    const state = await scope.createState(base === null ? fresh : grown(base, layout, fresh));
    const training = await scope.load(model, state);
    const inference = await scope.load(buildInference({ scores: sigmoid(logits) }, layout), state);
    const graph = { layout, state, training, inference, scope };
    return new RankerModel(assembler, config.learningRate, table, graph, base?.step ?? 0);
  }

  /** One training step. @returns the loss before it */
  async train(batch: Batch): Promise<number> {
    this.#step++;
    const lookups = this.#parts.order(batch.lookups);
    const gradient = this.#table.roomForGradient(lookups.length);
    const running = this.#training.run(
      {
        ...feedsOf(batch, this.#assembler),
        labels: batch.labels,
        weights: batch.weights,
        ...scalarFeeds(optimizer, this.#step, this.#learningRate),
      },
      this.#parts.named(this.#table.lookUp(lookups)),
      this.#parts.named(gradient, 'gradient.'),
    );
    // While the compute thread is busy.
    const prepared = this.#table.prepareUpdate(lookups);
    const values = await running;
    this.#table.update(prepared, gradient);
    return floats(values, 'loss')[0]!;
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
    await this.#state.write(vectors);
    this.#table.restore(table);
    this.#step = step;
  }

  release(): Promise<void> {
    return this.#scope.release();
  }

  async #vectors(): Promise<Vectors> {
    const { parameters, ...slots } = await this.#state.read();
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
  return new EmbeddingTable(
    {
      rows: fields.tableRows,
      dimension: config.embeddingDimension,
      lookups: batchSize * lookupsOf(fields.layout),
      optimizer: sparseOptimizer,
      learningRate: config.tableLearningRate,
      decay: config.tableDecay,
    },
    Random.seeded(seed, 'ranker embeddings'),
  );
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
  return { embedded, logits, loss: crossEntropy(logits, labels, weights) };
}

/** Σ w · (log(1 + e^x) − y x) / Σ w: binary cross-entropy on logits. All (B, 1). */
function crossEntropy(logits: FloatTensor, labels: FloatTensor, weights: FloatTensor): FloatTensor {
  const each = subtract(softplus(logits), multiply(labels, logits));
  return divide(sumAll(multiply(weights, each)), sumAll(weights));
}
