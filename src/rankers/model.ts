/** A ranker being trained: its graph in the compute thread, its embedding table here. */
import { divide, multiply, sigmoid, softplus, subtract, sumAll } from '../graph/operators/index.ts';
import { createOptimizer } from '../graph/optimizers.ts';
import { initialValues } from '../graph/parameters.ts';
import { type FloatTensor, input } from '../graph/tensor.ts';
import { buildInference, buildTrainingStep, scalarFeeds } from '../graph/training-step.ts';
import { Random } from '../random.ts';
import { type Engine, type EngineState, floats, type Session } from '../runtime/engine.ts';
import type { Batch, BatchAssembler } from './batch.ts';
import type { RankerConfig } from './config.ts';
import { EmbeddingTable } from './embedding-table.ts';
import { lookupsOf } from './fields.ts';
import { rankers } from './index.ts';
import { sparseOptimizers } from './sparse-optimizers.ts';

/** Every value that scores depend on. */
export interface RankerWeights {
  readonly parameters: Float32Array;
  /** (rows, E) */
  readonly embeddings: Float32Array;
}

/** Trains all but the embeddings of ids. */
const optimizer = createOptimizer({ name: 'adam', weightDecay: 0 });

export class RankerModel {
  readonly #assembler: BatchAssembler;
  readonly #learningRate: number;
  readonly #table: EmbeddingTable;
  readonly #state: EngineState;
  readonly #training: Session;
  readonly #inference: Session;
  #step = 0;

  private constructor(
    assembler: BatchAssembler,
    learningRate: number,
    table: EmbeddingTable,
    state: EngineState,
    training: Session,
    inference: Session,
  ) {
    this.#assembler = assembler;
    this.#learningRate = learningRate;
    this.#table = table;
    this.#state = state;
    this.#training = training;
    this.#inference = inference;
  }

  /** Builds and compiles the graph. The caller releases the model. */
  static async create(
    assembler: BatchAssembler,
    config: RankerConfig,
    seed: number,
    engine: Engine,
  ): Promise<RankerModel> {
    const { embedded, logits, loss } = graphOf(assembler, config);
    const step = buildTrainingStep(loss, {
      optimizer,
      clipNorm: null,
      inputGradients: { embedded },
    });
    const table = new EmbeddingTable(
      {
        rows: assembler.fields.tableRows,
        dimension: config.embeddingDimension,
        optimizer: sparseOptimizers[config.tableOptimizer],
        learningRate: config.tableLearningRate,
        decay: config.tableDecay,
      },
      Random.seeded(seed, 'ranker embeddings'),
    );
    const slots = optimizer.slots.map((slot) => [slot, new Float32Array(step.layout.size)]);
    const state = await engine.createState({
      parameters: initialValues(step.parameters, Random.seeded(seed, 'ranker parameters')),
      ...Object.fromEntries(slots),
    });
    const training = await engine.load(step.model, state);
    const inference = await engine.load(buildInference({ scores: sigmoid(logits) }, step.layout), state);
    return new RankerModel(assembler, config.learningRate, table, state, training, inference);
  }

  /** One training step. @returns the loss before it */
  async train(batch: Batch): Promise<number> {
    this.#step++;
    const values = await this.#training.run({
      ...this.#feeds(batch),
      labels: batch.labels,
      weights: batch.weights,
      ...scalarFeeds(optimizer, this.#step, this.#learningRate),
    });
    this.#table.update(batch.lookups, floats(values, 'gradient.embedded'));
    return floats(values, 'loss')[0]!;
  }

  /** The probability of a click on each of these exposures. (n) */
  async score(rows: Int32Array): Promise<Float32Array> {
    const { batchSize } = this.#assembler;
    const scores = new Float32Array(rows.length);
    for (let from = 0; from < rows.length; from += batchSize) {
      const batch = this.#assembler.assemble(rows.subarray(from, from + batchSize));
      const values = await this.#inference.run(this.#feeds(batch));
      scores.set(floats(values, 'scores').subarray(0, batch.count), from);
    }
    return scores;
  }

  async weights(): Promise<RankerWeights> {
    const { parameters } = await this.#state.read();
    if (parameters === undefined) throw new Error('the state has no parameters');
    return { parameters, embeddings: this.#table.snapshot() };
  }

  /** Puts weights back, for scoring: what the optimiser of the graph remembered is gone. */
  async restore({ parameters, embeddings }: RankerWeights): Promise<void> {
    await this.#state.write({ parameters });
    this.#table.restore(embeddings);
  }

  async release(): Promise<void> {
    await this.#training.release();
    await this.#inference.release();
    await this.#state.release();
  }

  #feeds(batch: Batch) {
    const { width } = this.#assembler.columns;
    return {
      embedded: this.#table.gather(batch.lookups),
      historyMask: batch.historyMask,
      ...(width === 0 ? {} : { dense: batch.dense }),
    };
  }
}

function graphOf({ fields, columns, batchSize }: BatchAssembler, config: RankerConfig) {
  const { layout } = fields;
  const embedded = input('embedded', 'float32', [batchSize, lookupsOf(layout), config.embeddingDimension]);
  const logits = rankers[config.ranker](
    {
      layout,
      embedded,
      historyMask: input('historyMask', 'float32', [batchSize, layout.historyLength]),
      dense: columns.width === 0 ? null : input('dense', 'float32', [batchSize, columns.width]),
    },
    config,
  );
  const labels = input('labels', 'float32', [batchSize, 1]);
  const weights = input('weights', 'float32', [batchSize, 1]);
  return { embedded, logits, loss: crossEntropy(logits, labels, weights) };
}

/** Σ w · (log(1 + e^x) − y x) / Σ w: binary cross-entropy on logits. All (B, 1). */
function crossEntropy(logits: FloatTensor, labels: FloatTensor, weights: FloatTensor): FloatTensor {
  const each = subtract(softplus(logits), multiply(labels, logits));
  return divide(sumAll(multiply(weights, each)), sumAll(weights));
}
