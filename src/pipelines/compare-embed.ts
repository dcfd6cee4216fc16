/** The embeddings of every source and seed of a comparison. */
import type { Dataset } from '../data/dataset.ts';
import { integer } from '../report/text.ts';
import type { Engine } from '../runtime/engine.ts';
import type { CompareConfig } from './compare-config.ts';
import { embeddingCost, embedStage } from './compare-cost.ts';
import type { Attempt } from './compare-failures.ts';
import { describeRest, type EmbedTask, type Task } from './compare-plan.ts';
import { produceEmbeddings, sourceFolder } from './embedding-sources.ts';
import type { EvaluationOptions } from './evaluation.ts';
import type { StageCosts } from './stage-costs.ts';

/**
 * Computes what is missing, one after the other, and says after each how long the rest takes.
 * @returns the embeddings that are there in the end
 */
export async function embedWithEverySource(
  dataset: Dataset,
  config: CompareConfig,
  engine: Engine,
  costs: StageCosts,
  tasks: readonly Task[],
  attempt: Attempt,
  { progress, signal }: EvaluationOptions,
): Promise<readonly EmbedTask[]> {
  let all = tasks;
  for (const task of tasks) {
    if (task.kind !== 'embed' || task.finished) continue;
    signal?.throwIfAborted();
    const { source, seed } = task;
    const folder = sourceFolder(config.out, source, seed ?? 0);
    const pretrain = { ...config.pretrain, dataset: config.dataset, out: folder, seed: seed ?? 0 };
    const unit = { stage: 'embed', source, features: null, start: null, seed } as const;
    const seconds = await attempt(unit, async () => {
      await costs.measure(embedStage(source, seed), async () => {
        await produceEmbeddings(source, { dataset, folder, pretrain, engine, progress, signal });
        const { images } = await embeddingCost(config, costs, source, seed);
        const seen = images === 0 ? '' : `${integer(images)} photos seen in training, `;
        return `${seen}${integer(dataset.images.count)} photos embedded`;
      });
      return (await embeddingCost(config, costs, source, seed)).embeddingSeconds;
    });
    if (seconds === null) continue;
    all = all.map((other) => (other === task ? { ...task, finished: true, seconds } : other));
    progress({ kind: 'note', text: `Left: ${describeRest(all)}` });
  }
  return all.filter((task) => task.kind === 'embed').filter(({ finished }) => finished);
}
