/** A ranker after its training: its weights, and what they need to score with. */
import type { VisualFeature } from '../data/visual-feature.ts';
import { sigmoid } from '../graph/operators/index.ts';
import { buildInference } from '../graph/training-step.ts';
import { type Engine, EngineScope } from '../runtime/engine.ts';
import { BatchAssembler } from './batch.ts';
import type { RankerConfig } from './config.ts';
import { separateParts } from './embedded-parts.ts';
import { type RankerData, rowsOfSplit } from './fields.ts';
import { logitOf } from './index.ts';
import { rankerInputs } from './inputs.ts';
import { createTable, type RankerWeights } from './model.ts';
import { RankerScorer } from './scorer.ts';
import { sparseOptimizers } from './sparse-optimizers.ts';

/** A ranker that scores and is not trained any more. The caller releases it. */
export interface ReadyRanker {
  readonly scorer: RankerScorer;
  readonly assembler: BatchAssembler;
  readonly feature: VisualFeature | null;
  readonly weights: RankerWeights;
  readonly release: () => Promise<void>;
}

/** What a ranker was trained with. */
export interface RankerOrigin {
  readonly dataset: RankerData;
  /** Exposures of the training split that it learns from, in the order of time. (n) */
  readonly rows: Int32Array;
  /** What images give; null for a ranker without images. */
  readonly feature: VisualFeature | null;
  readonly config: RankerConfig;
  readonly seed: number;
  readonly engine: Engine;
}

/**
 * Lets weights score again as they did at the end of their training.
 * @throws CourierError CHECKPOINT_INVALID for a table of other settings
 */
export async function readyRanker(
  { dataset, rows, feature, config, seed, engine }: RankerOrigin,
  weights: RankerWeights,
): Promise<ReadyRanker> {
  const assembler = new BatchAssembler(dataset, feature, rowsOfSplit(dataset, 'train'), config, rows);
  const table = createTable(assembler, config, sparseOptimizers.none, seed);
  table.restore(weights.table);
  const { embeddingDimension } = config;
  const embedded = separateParts(assembler.fields.layout, assembler.batchSize, embeddingDimension);
  const inputs = rankerInputs(assembler, embedded, embeddingDimension);
  const scores = sigmoid(logitOf(inputs, config));
  const scope = new EngineScope(engine);
  const state = await scope.createState({ parameters: weights.parameters });
  const session = await scope.load(buildInference({ scores }, weights.layout), state);
  const scorer = new RankerScorer(assembler, table, session);
  return { scorer, assembler, feature, weights, release: () => scope.release() };
}
