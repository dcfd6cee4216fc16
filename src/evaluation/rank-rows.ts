/** The rankers of an evaluation: one for each row, seed and start, each kept as soon as it is trained. */
import { oneProcess } from '../collectives/one-process.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import { broadcastJson } from '../collectives/texts.ts';
import { dealt, workTogether } from '../collectives/together.ts';
import type { Progress } from '../progress.ts';
import { type Attempt, endsEverything, plainly } from '../runs/failures.ts';
import type { StageCosts } from '../runs/stage-costs.ts';
import { counted } from '../text.ts';
import { KeptRankers } from './kept-rankers.ts';
import { readResult } from './ranker-file.ts';
import { basePath, nameOfRow, type RankerPlace, rankerPlace } from './ranker-place.ts';
import type { PlannedRow, RankerTrainer } from './ranker-trainer.ts';
import type { RankerRun } from './table.ts';

/**
 * Trains what the run folder does not hold yet. Rows without embeddings for a seed are passed over.
 * @param attempt decides what a ranker that fails means; errors pass unless told otherwise
 * @param group the processes that share the training
 * @returns by start, then by row, then by seed; in the first process, the others need none
 */
export async function rankRows(
  trainer: RankerTrainer,
  rows: readonly PlannedRow[],
  costs: StageCosts,
  progress: Progress,
  attempt: Attempt = plainly,
  group: ProcessGroup = oneProcess,
): Promise<readonly RankerRun[]> {
  const { runs, trained } = await trainRows(trainer, rows, progress, attempt, group);
  if (group.rank > 0) return [];
  const { seeds, starts } = trainer.config;
  if (trained || !costs.has('Rank')) {
    const bases = starts.includes('warm')
      ? await Promise.all(seeds.map((seed) => readResult(basePath(trainer.folder, seed))))
      : [];
    const results = [...bases, ...runs.map(({ result }) => result)];
    const seconds = results.reduce((sum, result) => sum + (result?.seconds ?? 0), 0);
    const waiting = results.reduce((sum, result) => sum + (result?.communicationSeconds ?? 0), 0);
    const waited = waiting === 0 ? '' : `, ${waiting.toFixed(1)} s of it waiting for other processes`;
    await costs.add('Rank', seconds, `${counted(runs.length, 'rankers')}${waited}`);
  }
  return runs;
}

/** Sees to it that the rankers are there, and says whether any had to be trained. The first process has the runs of all. */
export async function trainRows(
  trainer: RankerTrainer,
  rows: readonly PlannedRow[],
  progress: Progress,
  attempt: Attempt,
  group: ProcessGroup,
): Promise<{ readonly runs: readonly RankerRun[]; readonly trained: boolean }> {
  const { seeds, starts } = trainer.config;
  const wanted = starts.flatMap((start) =>
    rows.flatMap((row) =>
      seeds
        .filter((seed) => row === null || row.embeddings(seed) !== null)
        .map((seed) => ({ row, place: rankerPlace(trainer.folder, row, start, seed) })),
    ),
  );
  const finished = new Map<string, RankerRun>();
  const lacking: string[] = [];
  for (const { place } of group.rank === 0 ? wanted : []) {
    const { path, ...run } = place;
    const read = await attempt(unitOf(place), async () => ({ result: await readResult(path) }));
    if (read?.result === null) lacking.push(path);
    else if (read !== null) finished.set(path, { ...run, result: read.result });
  }
  const asked = new Set(await broadcastJson(group, lacking));
  const missing = wanted.filter(({ place }) => asked.has(place.path));
  if (missing.length > 0) await trainMissing(trainer, missing, finished, progress, attempt, group);
  const runs = wanted.flatMap(({ place }) => finished.get(place.path) ?? []);
  return { runs, trained: missing.length > 0 };
}

interface WantedRun {
  readonly row: PlannedRow;
  readonly place: RankerPlace;
}

/** All together where the trainer says so, else each process what falls to it; the first one then reads what the others have trained. */
async function trainMissing(
  trainer: RankerTrainer,
  missing: readonly WantedRun[],
  finished: Map<string, RankerRun>,
  progress: Progress,
  attempt: Attempt,
  group: ProcessGroup,
): Promise<void> {
  if (trainer.group.size > 1) {
    await trainOwn(trainer, missing, finished, progress, attempt);
    return;
  }
  if (group.size > 1) await trainBases(trainer, missing, group);
  const own = dealt(sharing(missing), group).flat();
  await workTogether(group, () => trainOwn(trainer, own, finished, progress, attempt));
  if (group.size === 1 || group.rank > 0) return;
  for (const { place } of missing) {
    const { path, ...run } = place;
    if (own.some((each) => each.place.path === path)) continue;
    const result = await readResult(path);
    if (result !== null) finished.set(path, { ...run, result });
  }
}

/** Rankers of one source and seed share embeddings and their clusters, and stay together. */
function sharing(missing: readonly WantedRun[]): readonly (readonly WantedRun[])[] {
  const groups = new Map<string, WantedRun[]>();
  for (const each of missing) {
    const { source, seed } = each.place;
    const key = JSON.stringify([seed, source]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()];
}

/** What warm rankers go on from is there before they are dealt out. One that fails is told of by those that want it. */
async function trainBases(
  trainer: RankerTrainer,
  missing: readonly WantedRun[],
  group: ProcessGroup,
): Promise<void> {
  const warm = missing.filter(({ place }) => place.start === 'warm');
  const seeds = dealt([...new Set(warm.map(({ place }) => place.seed))], group);
  await workTogether(group, () =>
    trainer.each(seeds, async (seed, each) => {
      await new KeptRankers(each).prepareBase(seed).catch((thrown: unknown) => {
        if (endsEverything(thrown, each.signal)) throw thrown;
      });
    }),
  );
}

/** Seed by seed, so that each lane has one ranker to go on from in memory. */
async function trainOwn(
  trainer: RankerTrainer,
  missing: readonly WantedRun[],
  finished: Map<string, RankerRun>,
  progress: Progress,
  attempt: Attempt,
): Promise<void> {
  progress({ kind: 'start', stage: 'Rank', total: missing.length, unit: 'rankers' });
  let done = 0;
  const seeds = trainer.config.seeds.filter((seed) => missing.some(({ place }) => place.seed === seed));
  await trainer.each(seeds, async (seed, each) => {
    const kept = new KeptRankers(each);
    for (const { row, place } of bySource(missing.filter((wanted) => wanted.place.seed === seed))) {
      const { path, ...run } = place;
      const result = await attempt(unitOf(place), () => kept.train(row, place.start, seed));
      if (result !== null) finished.set(path, { ...run, result });
      const detail = `${nameOfRow(row)}, ${place.start}, seed ${seed}`;
      progress({ kind: 'advance', stage: 'Rank', done: ++done, detail });
    }
  });
  progress({ kind: 'end', stage: 'Rank' });
}

/** Rankers that share embeddings one after the other, in the order in which their source comes first. */
function bySource(wanted: readonly WantedRun[]): readonly WantedRun[] {
  const sources = [...new Set(wanted.map(({ place }) => place.source))];
  return sources.flatMap((source) => wanted.filter(({ place }) => place.source === source));
}

function unitOf({ source, features, start, seed }: RankerPlace) {
  return { stage: 'rank', source, features, start, seed } as const;
}
