/** What a comparison computes, what of it is there already, and how long the rest takes. */
import { join } from 'node:path';
import { pathOfTried, triedRankers } from '../../evaluation/ranker-choice.ts';
import { readResult } from '../../evaluation/ranker-file.ts';
import { basePath, rankerPlace, rankersFolder } from '../../evaluation/ranker-place.ts';
import type { Start } from '../../report/report.ts';
import type { StageCosts } from '../../runs/stage-costs.ts';
import { exists } from '../../storage/files.ts';
import { duration } from '../../text.ts';
import { embeddingsFile, sourceFolder } from '../../training/embedding-sources.ts';
import type { SourceName } from '../../training/source-names.ts';
import type { CompareConfig } from './config.ts';
import { embeddingCost, embedStage, seedsOf } from './cost.ts';
import { rowSources } from './sizes.ts';

interface TaskState {
  readonly finished: boolean;
  /** What it took; null before it is finished. */
  readonly seconds: number | null;
}

/** Embeddings of a source for a seed. */
export interface EmbedTask extends TaskState {
  readonly kind: 'embed';
  readonly source: SourceName;
  /** null where it changes nothing. */
  readonly seed: number | null;
}

/** A ranker. */
export interface RankTask extends TaskState {
  readonly kind: 'rank';
  /** A source, or the name of given embeddings; null: without images. */
  readonly source: string | null;
  readonly features: string | null;
  readonly start: Start;
  readonly seed: number;
}

/** A ranker without images that warm ones go on from, where it is no row itself: without rows from scratch. */
export interface BaseTask extends TaskState {
  readonly kind: 'base';
  readonly seed: number;
}

/** A ranker without images, to choose the settings of all by. */
export interface TryTask extends TaskState {
  readonly kind: 'try';
  readonly start: Start;
  readonly seed: number;
}

export type Task = EmbedTask | TryTask | BaseTask | RankTask;

export interface Estimate {
  /** Of the missing tasks of which a finished one of their kind tells how long they take. */
  readonly seconds: number;
  readonly known: number;
  /** Kinds of missing tasks of which none is finished, such as `courier` or `rankers of sim-score, warm`. */
  readonly unknown: readonly string[];
}

/** All tasks in the order in which they are done. Writes nothing. */
export async function planTasks(config: CompareConfig, costs: StageCosts): Promise<readonly Task[]> {
  const { sources, features, seeds, starts } = config;
  const folder = rankersFolder(config.out);
  const embeddings = sources.flatMap((source) =>
    seedsOf(source, seeds).map((seed) => embedTask(config, costs, source, seed)),
  );
  const [firstSeed = 0] = seeds;
  const tries = triedRankers(config).map(async (tried): Promise<TryTask> => {
    const state = await stateOf(pathOfTried(folder, tried, firstSeed));
    return { kind: 'try', start: tried.start, seed: firstSeed, ...state };
  });
  const bases = (starts.includes('warm') ? seeds : []).map(async (seed): Promise<BaseTask> => {
    return { kind: 'base', seed, ...(await stateOf(basePath(folder, seed))) };
  });
  const named = [...rowSources(config).map(({ name }) => name), ...Object.keys(config.embeddings)];
  const visual = named.flatMap((source) => features.map((set) => ({ source, features: set })));
  const rankers = seeds.flatMap((seed) =>
    starts.flatMap((start) =>
      [null, ...visual].map(async (row): Promise<RankTask> => {
        const [source, set] = [row?.source ?? null, row?.features ?? null];
        const state = await stateOf(rankerPlace(folder, row, start, seed).path);
        return { kind: 'rank', source, features: set, start, seed, ...state };
      }),
    ),
  );
  const all = [
    Promise.all(embeddings),
    Promise.all(tries),
    Promise.all(bases),
    Promise.all(rankers),
  ] as const;
  return (await Promise.all(all)).flat();
}

/** A ranker that cannot be read is told of when it is needed. */
async function stateOf(path: string): Promise<TaskState> {
  const result = await readResult(path).catch(() => null);
  return { finished: result !== null, seconds: result?.seconds ?? null };
}

async function embedTask(
  config: CompareConfig,
  costs: StageCosts,
  source: SourceName,
  seed: number | null,
): Promise<EmbedTask> {
  const path = join(sourceFolder(config.out, source, seed ?? 0), embeddingsFile);
  const finished = costs.has(embedStage(source, seed)) && (await exists(path));
  if (!finished) return { kind: 'embed', source, seed, finished, seconds: null };
  const { embeddingSeconds } = await embeddingCost(config, costs, source, seed);
  return { kind: 'embed', source, seed, finished, seconds: embeddingSeconds };
}

/** From the mean of the finished tasks of each kind: a source, or rankers of one start and set of features. */
export function estimateTime(tasks: readonly Task[]): Estimate {
  const measured = new Map<string, number[]>();
  for (const task of tasks) {
    if (task.seconds === null) continue;
    measured.set(kindOf(task), [...(measured.get(kindOf(task)) ?? []), task.seconds]);
  }
  let [seconds, known] = [0, 0];
  const unknown = new Set<string>();
  for (const task of tasks) {
    if (task.finished) continue;
    const times = measured.get(kindOf(task));
    if (times === undefined) {
      unknown.add(kindOf(task));
      continue;
    }
    seconds += times.reduce((sum, time) => sum + time, 0) / times.length;
    known++;
  }
  return { seconds, known, unknown: [...unknown] };
}

/** The plan in lines for people. @param screened whether sources will be left out of it on the way */
export function describePlan(tasks: readonly Task[], screened: boolean): readonly string[] {
  const lines = (['embeddings', 'rankers'] as const).map((what) => {
    const all = tasks.filter(({ kind }) => (kind === 'embed') === (what === 'embeddings'));
    const missing = all.filter(({ finished }) => !finished);
    const counts = `${all.length - missing.length} of ${all.length} are there`;
    return missing.length === 0
      ? `Plan: ${what}: all ${all.length} are there`
      : `Plan: ${what}: ${counts}; to compute: ${listed(missing)}`;
  });
  const most = screened ? ['Plan: this is the most, since screening leaves sources out on the way'] : [];
  return [...lines, ...most, `Plan: ${describeRest(tasks)}`];
}

/** How long what is missing takes, as far as that is known. */
export function describeRest(tasks: readonly Task[]): string {
  const missing = tasks.filter(({ finished }) => !finished).length;
  if (missing === 0) return 'nothing is left to compute';
  const { seconds, known, unknown } = estimateTime(tasks);
  const gap = `not known before the first of each is finished: ${unknown.join('; ')}`;
  if (known === 0) return `how long it takes is ${gap}`;
  const rest = unknown.length === 0 ? '' : `; ${gap}`;
  return `about ${duration(seconds)} for ${known} of ${missing} that are left${rest}`;
}

/** Such as `courier (seeds 2, 3); hog; none, warm (3 of seed 1)`. */
function listed(tasks: readonly Task[]): string {
  const seeds = new Map<string, number[]>();
  for (const task of tasks) {
    const name = nameOf(task);
    seeds.set(name, [...(seeds.get(name) ?? []), ...(task.seed === null ? [] : [task.seed])]);
  }
  return [...seeds]
    .map(([name, list]) => (list.length === 0 ? name : `${name} (${seedText(list)})`))
    .join('; ');
}

/** Several tasks of one seed are counted. */
function seedText(seeds: readonly number[]): string {
  const distinct = [...new Set(seeds)];
  const counted = seeds.length > distinct.length ? `${seeds.length} of ` : '';
  return `${counted}${distinct.length === 1 ? 'seed' : 'seeds'} ${distinct.join(', ')}`;
}

function nameOf(task: Task): string {
  if (task.kind !== 'rank') return kindOf(task);
  return `${task.source === null ? 'none' : `${task.source} ${task.features}`}, ${task.start}`;
}

function kindOf(task: Task): string {
  if (task.kind === 'embed') return task.source;
  if (task.kind === 'try') return `none, to choose settings, ${task.start}`;
  return task.kind === 'base'
    ? 'none, to go on from'
    : `rankers of ${task.features ?? 'none'}, ${task.start}`;
}
