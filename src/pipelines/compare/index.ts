/**
 * The comparison: embedding sources × features × seeds → the table that says whether images pay off.
 *
 * Every ranker has the same base features; the rows differ in what images add. All are scored once on the
 * test period. What fails is noted and does not lose the rest.
 */
import { join } from 'node:path';
import { doneByFirst } from '../../collectives/order.ts';
import type { ProcessGroup } from '../../collectives/process-group.ts';
import { processGroup } from '../../collectives/world.ts';
import { parseConfig } from '../../config.ts';
import { type Dataset, NONE } from '../../data/dataset.ts';
import { nameAtSize } from '../../data/embeddings/embedding-files.ts';
import { sizeOf } from '../../data/embeddings/embedding-size.ts';
import { learnedPart } from '../../data/samplers/training-cut.ts';
import { CourierError } from '../../errors.ts';
import { type AttendedClick, attendClicks } from '../../evaluation/attention.ts';
import { summariseAttention } from '../../evaluation/attention-summary.ts';
import { diagnose, trainForDiagnosis } from '../../evaluation/diagnosis.ts';
import { chooseExamples } from '../../evaluation/examples.ts';
import { givenRows, hashesOf, requireUsable } from '../../evaluation/given-embeddings.ts';
import { requireLearnedBefore } from '../../evaluation/leaks.ts';
import { rankRows } from '../../evaluation/rank-rows.ts';
import { chooseSettings } from '../../evaluation/ranker-choice.ts';
import {
  type PlannedRow,
  RankerTrainer,
  requireAttention,
  requireColumns,
  type VisualRow,
} from '../../evaluation/ranker-trainer.ts';
import { evaluationReport, reportOfFirst } from '../../evaluation/report.ts';
import type { RankerRun } from '../../evaluation/table.ts';
import { loadItemEmbeddings } from '../../evaluation/visual-inputs.ts';
import { measuredStarts } from '../../evaluation/warm-start.ts';
import { attentionFile } from '../../objectives/courier-lesson.ts';
import { type Progress, silent, type WorkOptions } from '../../progress.ts';
import { requireTrainable } from '../../rankers/train.ts';
import type { Example, Report, SourceScreening } from '../../report/report.ts';
import { screeningSentence } from '../../report/screening.ts';
import { type Attempt, endsEverything, Failures, nothingSucceeded } from '../../runs/failures.ts';
import { type RunIdentity, requireSameRun, withRunFolder } from '../../runs/run-folder.ts';
import { StageCosts } from '../../runs/stage-costs.ts';
import { withDataset } from '../../runs/with-dataset.ts';
import type { Engine } from '../../runtime/engine.ts';
import { hashFile, requireReadable } from '../../storage/files.ts';
import { chosenEncoder } from '../../training/chosen-encoder.ts';
import { whatIsLearned } from '../../training/config.ts';
import {
  backboneOf,
  embeddingSources,
  embeddingsFile,
  sourceFolder,
} from '../../training/embedding-sources.ts';
import { seeingEncoder } from '../../training/seeing-encoder.ts';
import { startingFiles } from '../../training/starting-point.ts';
import { type CompareConfig, type CompareConfigInput, compareConfig } from './config.ts';
import { withCosts } from './cost.ts';
import { pretrainCurves } from './curves.ts';
import { embedWithEverySource } from './embed.ts';
import { describePlan, type EmbedTask, planTasks, type Task } from './plan.ts';
import { versusBestOther, versusOthers } from './rival.ts';
import { keptBy, requireScreened, screenSources } from './screen.ts';
import { describeSearch, describeSearches, type FinishedSearch, searchEverySource } from './search.ts';
import { requireSizes, rowSources, sizeFigures } from './sizes.ts';

export interface Comparison {
  readonly report: Report;
  /** The test clicks as the first seed's COURIER rebuilt them; empty without COURIER, and in all processes but the first. */
  readonly attended: readonly AttendedClick[];
}

/**
 * Computes what the run folder does not hold yet, and the report over all of it. Processes that mpirun started together share the
 * trainings, through the run folder.
 * @throws CourierError CONFIG_INVALID, SPLIT_EMPTY, OUTPUT_EXISTS, OUTPUT_IN_USE, INTERRUPTED, those of reading the dataset
 * and of writing, and COMPARISON_FAILED where no row with images is left
 */
export async function compare(settings: CompareConfigInput, options: WorkOptions = {}): Promise<Comparison> {
  const config = parseConfig(compareConfig, settings, 'compare configuration');
  return withDataset(config.dataset, (dataset, engine) => compareOn(dataset, config, engine, options));
}

/**
 * What `compare` would compute and what it would find, in its order; writes nothing.
 * @throws CourierError CONFIG_INVALID, SPLIT_EMPTY, OUTPUT_EXISTS and those of reading the dataset
 */
export async function planComparison(
  settings: CompareConfigInput,
  { signal }: WorkOptions = {},
): Promise<readonly Task[]> {
  const config = parseConfig(compareConfig, settings, 'compare configuration');
  return withDataset(config.dataset, async (dataset) => {
    signal?.throwIfAborted();
    await requireFit(dataset, config);
    await requireSameRun(config.out, await identityOf(config, dataset));
    const starts = measuredStarts(dataset, config);
    return planTasks({ ...config, starts }, await StageCosts.open(config.out));
  });
}

async function compareOn(
  dataset: Dataset,
  config: CompareConfig,
  engine: Engine,
  options: WorkOptions,
): Promise<Comparison> {
  await requireFit(dataset, config);
  const group = await processGroup();
  const settled = { ...config, starts: measuredStarts(dataset, config) };
  return withRunFolder(
    config.out,
    await identityOf(config, dataset),
    ({ startedAt }) => fillRunFolder(dataset, settled, engine, startedAt, options, group),
    group,
  );
}

async function fillRunFolder(
  dataset: Dataset,
  config: CompareConfig,
  engine: Engine,
  startedAt: string,
  options: WorkOptions,
  group: ProcessGroup,
): Promise<Comparison> {
  const { progress = silent, signal } = options;
  const costs = await StageCosts.open(config.out, group.rank);
  const failures = new Failures(progress, signal);
  const { attempt } = failures;

  const tasks = await plannedByFirst(group, config, costs);
  const plan = [...describeSearches(config), ...describePlan(tasks, config.screen !== null)];
  for (const text of plan) progress({ kind: 'note', text });
  const searches = await searchEverySource(dataset, config, costs, attempt, options, group);
  await seeByBackbone(dataset, config, engine, options, group);
  const { screening, kept, embedded } = await embedAndScreen(
    dataset,
    config,
    searches,
    costs,
    tasks,
    attempt,
    options,
    group,
  );
  const chosen = await chooseSettings(
    new RankerTrainer(dataset, config, engine, signal),
    costs,
    progress,
    group,
  );
  const { trainer } = chosen;
  const planned = [null, ...visualRows(kept, embedded)];
  const all = await rankRows(trainer, planned, costs, progress, attempt, group);
  await failures.share(group);
  const runs = comparable(all);
  const isFirst = group.rank === 0;
  if (isFirst && runs.every(({ source }) => source === null)) throw nothingSucceeded(failures.list);
  const whole = wholeRows(trainer, planned, runs);
  await trainForDiagnosis(trainer, planned, whole, runs, progress, group);
  if (!isFirst) return { report: await reportOfFirst(group, null), attended: [] };

  const diagnosis = await diagnoseWhole(trainer, whole, runs, costs, attempt, progress);
  const { attended, examples } = await attendTestClicks(dataset, kept, engine, embedded, attempt);
  const attentionSummary = summariseAttention(dataset, attended);
  const report = await evaluationReport(chosen, planned, runs, diagnosis, costs, startedAt, options);
  const made = {
    ...report,
    rows: await withCosts(report.rows, runs, config, costs),
    sizes: sizeFigures(report.rows, report.embeddings, dimensionOf(config, dataset)),
    screening,
    versusBestOther: versusBestOther(report.rows, runs, dataset),
    versusOthers: versusOthers(report.rows, runs, dataset),
    searches: searches.map(describeSearch),
    failures: failures.list,
    curves: [...(await pretrainCurves(config)), ...report.curves],
    examples,
    ...(attentionSummary === null ? {} : { attentionSummary }),
  };
  return { report: await reportOfFirst(group, made), attended };
}

/** What is there is what the first process sees: a disk that machines share shows the others the same a little later. */
async function plannedByFirst(
  group: ProcessGroup,
  config: CompareConfig,
  costs: StageCosts,
): Promise<readonly Task[]> {
  return doneByFirst(group, () => planTasks(config, costs));
}

/** What a pretrained network says of the photos lies where hosts cannot wait for each other: it is computed once, before all read it. */
async function seeByBackbone(
  dataset: Dataset,
  { pretrain, dataset: folder, olderShare }: CompareConfig,
  engine: Engine,
  options: WorkOptions,
  group: ProcessGroup,
): Promise<void> {
  if (group.size === 1 || pretrain.encoder.name !== 'backbone') return;
  const { encoder } = pretrain;
  const place = { dataset: learnedPart(dataset, olderShare), engine };
  await doneByFirst(group, async () => {
    try {
      const seeing = await seeingEncoder({ encoder, dataset: folder }, place, options);
      await seeing.close();
      return true;
    } catch (thrown) {
      if (endsEverything(thrown, options.signal)) throw thrown;
      // The sources that need it will tell.
      return false;
    }
  });
}

interface Embedded {
  /** null where nothing was screened. */
  readonly screening: SourceScreening | null;
  /** The settings with the sources that rankers are trained for. */
  readonly kept: CompareConfig;
  readonly embedded: readonly EmbedTask[];
}

/** Embeds with every source; where they are screened, with the first seed, then with the other seeds of those that are kept. */
async function embedAndScreen(
  dataset: Dataset,
  config: CompareConfig,
  searches: readonly FinishedSearch[],
  costs: StageCosts,
  tasks: readonly Task[],
  attempt: Attempt,
  options: WorkOptions,
  group: ProcessGroup,
): Promise<Embedded> {
  const embedAll = (of: CompareConfig, some: readonly Task[]) =>
    embedWithEverySource(dataset, of, searches, costs, some, attempt, options, group);
  const [seed] = config.seeds;
  if (config.screen === null || seed === undefined) {
    const embedded = await embedAll(config, tasks);
    return { screening: null, kept: config, embedded };
  }
  const isFirst = (task: Task) => task.kind !== 'embed' || task.seed === null || task.seed === seed;
  const first = await embedAll(config, tasks.filter(isFirst));
  const own = config.sources.map((source) => {
    const there = first.some((task) => task.source === source);
    return { source, path: there ? join(sourceFolder(config.out, source, seed), embeddingsFile) : null };
  });
  const given = Object.entries(config.embeddings).map(([source, path]) => ({ source, path }));
  const { screen } = config;
  const screening = await doneByFirst(group, () => screenSources(dataset, screen, seed, [...own, ...given]));
  const kept = keptBy(screening, config);
  options.progress?.({ kind: 'note', text: screeningSentence({ screening }) ?? '' });
  // What failed with the first seed is not tried again at once.
  const left = (await plannedByFirst(group, kept, costs)).filter(
    (task) => !isFirst(task) || task.finished || task.kind !== 'embed',
  );
  const embedded = await embedAll(kept, left);
  return { screening, kept, embedded };
}

/** Numbers of the embeddings that encoders of a comparison give. */
function dimensionOf({ pretrain }: CompareConfig, dataset: Dataset): number {
  return chosenEncoder(pretrain.encoder, dataset).dimension;
}

/**
 * Refuses at once what the dataset could not give after hours.
 * @throws CourierError CONFIG_INVALID, SPLIT_EMPTY
 */
async function requireFit(dataset: Dataset, config: CompareConfig): Promise<void> {
  if (config.sources.length + Object.keys(config.embeddings).length === 0) throw nothingToCompare();
  if (config.sources.includes('backbone')) backboneOf(config.pretrain);
  requireSizes(config, dimensionOf(config, dataset));
  requireScreened(config);
  await requireUsable(dataset, config.embeddings, config.allowLeak);
  for (const { path, learnedUntil } of await startingFiles(config.pretrain))
    if (!config.allowLeak) requireLearnedBefore(dataset, path, learnedUntil);
  requireColumns(dataset, config);
  requireAttention(config.features, config);
  requireTrainable(dataset);
  const parts = config.features.flatMap((set) => set.split('+'));
  const { clusters, semanticCodes } = config.codes;
  const wanted = {
    'codes.clusters': parts.includes('cluster-id') ? Math.max(...clusters) : 0,
    'codes.semanticCodes': parts.includes('semantic-id') ? semanticCodes : 0,
  };
  const photos = dataset.catalogue.photo.filter((row) => row !== NONE).length;
  for (const [setting, count] of Object.entries(wanted)) {
    if (count <= photos) continue;
    throw new CourierError(
      'CONFIG_INVALID',
      `Invalid configuration: ${setting} asks for ${count} clusters of ${photos} items with photos.`,
      `Ask for at most ${photos}.`,
    );
  }
}

/** A pretrained network is known by its content, wherever it lies. */
async function identityOfEncoder(encoder: CompareConfig['pretrain']['encoder']) {
  if (encoder.name !== 'backbone') return encoder;
  await requireReadable(encoder.file, 'Backbone');
  return { ...encoder, file: await hashFile(encoder.file) };
}

/**
 * As of `pretrain`: where, with how much, how many at a time, how often they are saved, and whether a collapse ends one,
 * may change; what rows are left out or stand beside others; and what only the report is made with, which is made anew every time.
 */
async function identityOf(
  {
    dataset: _,
    out,
    parallel,
    sliceBy,
    allowLeak,
    diagnosis,
    examples,
    embeddings,
    sizes,
    screen,
    ...config
  }: CompareConfig,
  { hash }: Dataset,
): Promise<RunIdentity> {
  const { encoder, ...learned } = whatIsLearned(config.pretrain);
  const pretrain = { ...learned, encoder: await identityOfEncoder(encoder) };
  const given = await hashesOf(embeddings);
  const own = Object.keys(given).length === 0 ? {} : { embeddings: given };
  return { pipeline: 'compare', config: { ...config, ...own, pretrain }, datasetHash: hash };
}

function visualRows(
  { embeddings, features, out, ...config }: CompareConfig,
  embedded: readonly EmbedTask[],
): VisualRow[] {
  const made = rowSources(config).flatMap(({ source, size, name }) =>
    features.map((set): VisualRow => {
      return {
        source: name,
        features: set,
        areOwn: true,
        embeddings(seed) {
          const own = embeddingSources[source].seeded ? seed : null;
          const there = embedded.some((task) => task.source === source && task.seed === own);
          if (!there) return null;
          const whole = join(sourceFolder(out, source, seed), embeddingsFile);
          return size === null ? whole : nameAtSize(whole, sizeOf(size));
        },
      };
    }),
  );
  return [...made, ...givenRows(embeddings, features)];
}

function nothingToCompare(): CourierError {
  return new CourierError(
    'CONFIG_INVALID',
    'There is nothing to compare: `sources` names none, and there are no `embeddings`.',
    'Name sources, or files of embeddings.',
  );
}

/** Without the runs of a start and seed of which the ranker without images failed. */
function comparable(runs: readonly RankerRun[]): readonly RankerRun[] {
  return runs.filter(({ start, seed }) =>
    runs.some((other) => other.source === null && other.start === start && other.seed === seed),
  );
}

/** Those that have all seeds. */
function wholeRows(
  { config: { seeds, starts } }: RankerTrainer,
  rows: readonly PlannedRow[],
  runs: readonly RankerRun[],
): readonly PlannedRow[] {
  return rows.filter((row) => {
    const own = runs.filter((run) => run.source === row?.source && run.features === row.features);
    return own.length === seeds.length * starts.length;
  });
}

/** Looks into the best of the rows that have all seeds, since it compares over all of them. */
async function diagnoseWhole(
  trainer: RankerTrainer,
  whole: readonly PlannedRow[],
  runs: readonly RankerRun[],
  costs: StageCosts,
  attempt: Attempt,
  progress: Progress,
) {
  const [seed = null] = trainer.config.seeds;
  const unit = { stage: 'diagnose', source: null, features: null, start: null, seed } as const;
  return attempt(unit, () => diagnose(trainer, whole, runs, costs, progress));
}

async function attendTestClicks(
  dataset: Dataset,
  config: CompareConfig,
  engine: Engine,
  embedded: readonly EmbedTask[],
  attempt: Attempt,
): Promise<{ readonly attended: readonly AttendedClick[]; readonly examples: readonly Example[] }> {
  const none = { attended: [], examples: [] };
  const [seed] = config.seeds;
  if (seed === undefined) return none;
  if (!embedded.some((task) => task.source === 'courier' && task.seed === seed)) return none;
  const folder = sourceFolder(config.out, 'courier', seed);
  const unit = { stage: 'attend', source: 'courier', features: null, start: null, seed } as const;
  const shown = await attempt(unit, async () => {
    const embeddings = await loadItemEmbeddings(dataset, join(folder, embeddingsFile));
    const model = join(folder, attentionFile);
    const attended = await attendClicks(dataset, 'test', embeddings, model, config.pretrain.history, engine);
    return { attended, examples: await chooseExamples(dataset, attended, config.examples) };
  });
  return shown ?? none;
}
