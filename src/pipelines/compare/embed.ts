/** The embeddings of every source and seed of a comparison. */
import type { ProcessGroup } from '../../collectives/process-group.ts';
import { dealt, workTogether } from '../../collectives/together.ts';
import type { Dataset } from '../../data/dataset.ts';
import { type Progress, silent, type WorkOptions } from '../../progress.ts';
import type { Attempt } from '../../runs/failures.ts';
import { namedProgress } from '../../runs/lanes.ts';
import type { StageCosts } from '../../runs/stage-costs.ts';
import { integer } from '../../text.ts';
import { produceEmbeddings, sourceFolder } from '../../training/embedding-sources.ts';
import type { CompareConfig } from './config.ts';
import { embeddingCost, embedStage } from './cost.ts';
import { describeRest, type EmbedTask, type Task } from './plan.ts';
import { type FinishedSearch, pretrainOf } from './search.ts';
import { inTrainingLanes, type TrainingLane } from './training-lanes.ts';

/**
 * Computes what is missing, several at a time where the machine allows, and says after each how long the rest takes.
 * @param group the processes that share it: each task is done by one of them
 * @returns the embeddings that are there in the end
 */
export async function embedWithEverySource(
  dataset: Dataset,
  config: CompareConfig,
  searches: readonly FinishedSearch[],
  costs: StageCosts,
  tasks: readonly Task[],
  attempt: Attempt,
  { progress = silent, signal }: WorkOptions,
  group: ProcessGroup,
): Promise<readonly EmbedTask[]> {
  let all = tasks;
  const missing = tasks.filter((task) => task.kind === 'embed').filter(({ finished }) => !finished);
  const own = dealt(apart(missing, config), group);
  const work = async (together: readonly EmbedTask[], lane: TrainingLane) => {
    for (const task of together) {
      lane.signal?.throwIfAborted();
      const unit = {
        stage: 'embed',
        source: task.source,
        features: null,
        start: null,
        seed: task.seed,
      } as const;
      const seconds = await attempt(unit, () => {
        const trained = { ...config, pretrain: pretrainOf(task.source, config, searches) };
        return embed(task, dataset, trained, lane, costs, progress);
      });
      if (seconds === null) continue;
      all = all.map((other) => (other === task ? { ...task, finished: true, seconds } : other));
      progress({ kind: 'note', text: `Left: ${describeRest(all)}` });
    }
  };
  const done = await workTogether(group, async () => {
    await inTrainingLanes(own, config, signal, work);
    return all.flatMap(({ finished, seconds }, place) => (finished ? [{ place, seconds }] : []));
  });
  await costs.refresh();
  for (const { place, seconds } of done.flat())
    all = all.map((task, index) => (index === place ? { ...task, finished: true, seconds } : task));
  return all.filter((task) => task.kind === 'embed').filter(({ finished }) => finished);
}

/** @returns the seconds that it took, interrupted calls included */
async function embed(
  { source, seed }: EmbedTask,
  dataset: Dataset,
  config: CompareConfig,
  { engine, threads, room, signal }: TrainingLane,
  costs: StageCosts,
  progress: Progress,
): Promise<number> {
  const folder = sourceFolder(config.out, source, seed ?? 0);
  const { olderShare } = config;
  const settings = {
    ...config.pretrain,
    olderShare,
    dataset: config.dataset,
    out: folder,
    seed: seed ?? 0,
    threads,
  };
  const named = namedProgress(seed === null ? source : `${source}, seed ${seed}`, progress);
  await costs.measure(embedStage(source, seed), async () => {
    await produceEmbeddings(source, { dataset, folder, settings, engine, room }, { progress: named, signal });
    const { images } = await embeddingCost(config, costs, source, seed);
    const seen = images === 0 ? '' : `${integer(images)} photos seen in training, `;
    return `${seen}${integer(dataset.images.count)} photos embedded`;
  });
  return (await embeddingCost(config, costs, source, seed)).embeddingSeconds;
}

/** Tasks that share a first stage are one after the other: those of a seed, or all where its folder is named. */
function apart(
  tasks: readonly EmbedTask[],
  { pretrain: { firstStage } }: CompareConfig,
): readonly (readonly EmbedTask[])[] {
  if (firstStage === null) return tasks.map((task) => [task]);
  if (firstStage.out !== undefined) return tasks.length === 0 ? [] : [tasks];
  const seeds = [...new Set(tasks.map(({ seed }) => seed))];
  return seeds.map((seed) => tasks.filter((task) => task.seed === seed));
}
