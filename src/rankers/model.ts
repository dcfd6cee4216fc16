/** A ranker being trained: its graph in the compute thread, its embedding table here. */
import { divide, multiply, sigmoid, softplus, subtract, sumAll } from '../graph/operators/index.ts';
import { createOptimizer } from '../graph/optimizers.ts';
import { initialValues, namedParts, type ParameterLayout } from '../graph/parameters.ts';
import { type FloatTensor, input } from '../graph/tensor.ts';
import { buildInference, buildTrainingStep, scalarFeeds } from '../graph/training-step.ts';
import { Random } from '../random.ts';
import { type Engine, type EngineState, floats, type Session } from '../runtime/engine.ts';
import type { NamedValues } from '../runtime/protocol.ts';
import type { Batch, BatchAssembler } from './batch.ts';
import type { RankerConfig } from './config.ts';
import { EmbeddingTable, type TableState } from './embedding-table.ts';
import { growVector } from './grow.ts';
import { rankers } from './index.ts';
import { gateParameter, rankerInputs } from './inputs.ts';
import { sparseOptimizers } from './sparse-optimizers.ts';

/** All that a ranker has learned, what its optimisers remember included: enough to go on. */
export interface RankerState {
  readonly layout: ParameterLayout;
  /** Parameters and the optimiser's slots, by name. (P) each */
  readonly vectors: Readonly<Record<string, Float32Array>>;
  readonly table: TableState;
  /** Steps so far. */
  readonly step: number;
}

/** Trains all but the embeddings of ids. */
const optimizer = createOptimizer({ name: 'adam', weightDecay: 0 });

export class RankerModel {
  readonly #assembler: BatchAssembler;
  readonly #learningRate: number;
  readonly #table: EmbeddingTable;
  readonly #layout: ParameterLayout;
  readonly #state: EngineState;
  readonly #training: Session;
  readonly #inference: Session;
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
    },
    step: number,
  ) {
    this.#assembler = assembler;
    this.#learningRate = learningRate;
    this.#table = table;
    this.#layout = graph.layout;
    this.#state = graph.state;
    this.#training = graph.training;
    this.#inference = graph.inference;
    this.#step = step;
  }

  /**
   * Builds and compiles the graph. The caller releases the model.
   * @param start what another ranker has learned, whose parameters are the leading blocks of this one's; null to
   * begin from nothing
   */
  static async create(
    assembler: BatchAssembler,
    config: RankerConfig,
    seed: number,
    engine: Engine,
    start: RankerState | null = null,
  ): Promise<RankerModel> {
    const { embedded, logits, loss } = graphOf(assembler, config);
    const step = buildTrainingStep(loss, { optimizer, clipNorm: null, inputGradients: { embedded } });
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
    if (start !== null) table.restore(start.table);
    const fresh = {
      parameters: initialValues(step.parameters, Random.seeded(seed, 'ranker parameters')),
      ...Object.fromEntries(optimizer.slots.map((slot) => [slot, new Float32Array(step.layout.size)])),
    };
    const state = await engine.createState(start === null ? fresh : grown(start, step.layout, fresh));
    const training = await engine.load(step.model, state);
    const inference = await engine.load(buildInference({ scores: sigmoid(logits) }, step.layout), state);
    const graph = { layout: step.layout, state, training, inference };
    return new RankerModel(assembler, config.learningRate, table, graph, start?.step ?? 0);
  }

  /** One training step. @returns the loss before it */
  async train(batch: Batch): Promise<number> {
    this.#step++;
    const values = await this.#training.run(
      {
        ...this.#feeds(batch),
        labels: batch.labels,
        weights: batch.weights,
        ...scalarFeeds(optimizer, this.#step, this.#learningRate),
      },
      { embedded: this.#table.gather(batch.lookups) },
    );
    this.#table.update(batch.lookups, floats(values, 'gradient.embedded'));
    return floats(values, 'loss')[0]!;
  }

  /**
   * The probability of a click on each of these exposures. (n)
   * @param assemble how a part of them becomes a batch
   */
  async score(
    rows: Int32Array,
    assemble: (part: Int32Array) => Batch = (part) => this.#assembler.assemble(part),
  ): Promise<Float32Array> {
    const { batchSize } = this.#assembler;
    const scores = new Float32Array(rows.length);
    for (let from = 0; from < rows.length; from += batchSize) {
      const batch = assemble(rows.subarray(from, from + batchSize));
      const embedded = this.#table.gather(batch.lookups);
      const values = await this.#inference.run(this.#feeds(batch), { embedded });
      scores.set(floats(values, 'scores').subarray(0, batch.count), from);
    }
    return scores;
  }

  /** The embeddings of these rows of the table, as a batch would be given them. (n) → (n, E) */
  embeddings(rows: Int32Array): Float32Array {
    return this.#table.gather(rows);
  }

  async state(): Promise<RankerState> {
    const vectors = await this.#state.read();
    return { layout: this.#layout, vectors, table: this.#table.state(), step: this.#step };
  }

  /** Puts a state of this very model back. */
  async restore({ vectors, table, step }: RankerState): Promise<void> {
    await this.#state.write(vectors);
    this.#table.restore(table);
    this.#step = step;
  }

  async release(): Promise<void> {
    await this.#training.release();
    await this.#inference.release();
    await this.#state.release();
  }

  /** All but the embedded ids, which are large. */
  #feeds(batch: Batch): NamedValues {
    const { columns, visualColumns, visual } = this.#assembler;
    return {
      historyMask: batch.historyMask,
      ...(columns.width === 0 ? {} : { dense: batch.dense }),
      ...(visualColumns.width === 0 ? {} : { visual: batch.visual }),
      ...(visual ? { category: batch.category } : {}),
    };
  }
}

/** How far each category lets the visual side through, in [0, 1]; empty for a ranker without images. (C) */
export function gatesOf({ layout, vectors }: RankerState): Float32Array {
  const logits = namedParts(layout, vectors['parameters'] ?? new Float32Array()).get(gateParameter);
  return (logits ?? new Float32Array()).map((logit) => 1 / (1 + Math.exp(-logit)));
}

function grown(
  start: RankerState,
  layout: ParameterLayout,
  fresh: Readonly<Record<string, Float32Array>>,
): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(fresh).map(([name, values]) => {
      const before = start.vectors[name];
      if (before === undefined) throw new Error(`the state to start from has no ${name}`);
      return [name, growVector(start.layout, before, layout, values)];
    }),
  );
}

function graphOf(assembler: BatchAssembler, config: RankerConfig) {
  const { batchSize } = assembler;
  const { embedded, inputs } = rankerInputs(assembler, config.embeddingDimension);
  const logits = rankers[config.ranker](inputs, config);
  const labels = input('labels', 'float32', [batchSize, 1]);
  const weights = input('weights', 'float32', [batchSize, 1]);
  return { embedded, logits, loss: crossEntropy(logits, labels, weights) };
}

/** Σ w · (log(1 + e^x) − y x) / Σ w: binary cross-entropy on logits. All (B, 1). */
function crossEntropy(logits: FloatTensor, labels: FloatTensor, weights: FloatTensor): FloatTensor {
  const each = subtract(softplus(logits), multiply(labels, logits));
  return divide(sumAll(multiply(weights, each)), sumAll(weights));
}
