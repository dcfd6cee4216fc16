/** A ranker in training on a log, step by step as `courier rank` does it. */
import { oneProcess } from '../src/collectives/one-process.ts';
import type { ProcessGroup } from '../src/collectives/process-group.ts';
import { evenShares, ownShare } from '../src/collectives/shares.ts';
import { auc } from '../src/metrics/auc.ts';
import { Random } from '../src/random.ts';
import { BatchAssembler } from '../src/rankers/batch.ts';
import { type RankerConfig, rankerConfig } from '../src/rankers/config.ts';
import type { RankerData } from '../src/rankers/fields.ts';
import { RankerModel } from '../src/rankers/model.ts';
import type { Engine } from '../src/runtime/engine.ts';

/** What both sides are set to. */
export const settings = {
  embeddingDimension: 8,
  attentionWidth: 32,
  hiddenWidths: [128, 64],
  batchSize: 1024,
  learningRate: 1e-3,
} as const;

const config: RankerConfig = rankerConfig.parse({
  ...settings,
  hiddenWidths: [...settings.hiddenWidths],
  ranker: 'din',
  tableOptimizer: 'adam',
  tableLearningRate: settings.learningRate,
});

/**
 * @param trainRows exposures to train on, in a new random order each time all have been seen
 * @param minimumCount exposures that give an id an embedding of its own
 * @param group the processes that train it together
 */
export async function startRanker(
  data: RankerData,
  trainRows: Int32Array,
  seed: number,
  engine: Engine,
  minimumCount = 1,
  group: ProcessGroup = oneProcess,
) {
  const { batchSize } = config;
  const assembler = new BatchAssembler(data, null, trainRows, {
    batchSize: Math.ceil(batchSize / group.size),
    ids: 'own',
    numericPieces: 0,
    minimumCount,
    idBuckets: null,
    gateCategory: null,
  });
  const model = await RankerModel.create(assembler, config, seed, engine, null, group);
  const random = Random.seeded(seed, 'bench batches');
  const order = trainRows.slice();
  let at = order.length;
  const nextBatch = () => {
    if (at >= order.length) {
      random.shuffle(order);
      at = 0;
    }
    at += batchSize;
    const whole = order.subarray(at - batchSize, at);
    const { from, to } = ownShare(evenShares(whole.length, group), group);
    return model.prepare(assembler.assemble(whole.subarray(from, to), whole.length));
  };
  let upcoming = await nextBatch();
  return {
    tableRows: assembler.fields.tableRows,
    /** What it took so far to bring rows and gradients to other processes. */
    communication: () => model.communication,
    /** @returns the seconds that so many steps took */
    async train(steps: number): Promise<number> {
      const start = performance.now();
      for (let step = 0; step < steps; step++) {
        await model.train(upcoming, async () => {
          upcoming = await nextBatch();
        });
      }
      return (performance.now() - start) / 1000;
    },
    async auc(rows: Int32Array): Promise<number> {
      const labels = Uint8Array.from(rows, (row) => data.exposures.clicked[row]!);
      return auc(await model.scorer.score(rows), labels);
    },
    stop: () => model.release(),
  };
}
