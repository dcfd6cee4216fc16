/** The rankers of an evaluation: one for each row, seed and start, each kept as soon as it is trained. */
import type { Progress } from '../progress.ts';
import { type Attempt, plainly } from '../runs/failures.ts';
import { defaultLanes, inLanes } from '../runs/lanes.ts';
import type { StageCosts } from '../runs/stage-costs.ts';
import { KeptRankers } from './kept-rankers.ts';
import { readResult } from './ranker-file.ts';
import { basePath, nameOfRow, type RankerPlace, rankerPlace } from './ranker-place.ts';
import type { PlannedRow, RankerTrainer } from './ranker-trainer.ts';
import type { RankerRun } from './table.ts';

/**
 * Trains what the run folder does not hold yet. Rows without embeddings for a seed are passed over.
 * @param attempt decides what a ranker that fails means; errors pass unless told otherwise
 * @returns by start, then by row, then by seed
 */
export async function rankRows(
  trainer: RankerTrainer,
  rows: readonly PlannedRow[],
  costs: StageCosts,
  progress: Progress,
  attempt: Attempt = plainly,
): Promise<readonly RankerRun[]> {
  const { seeds, starts } = trainer.config;
  const wanted = starts.flatMap((start) =>
    rows.flatMap((row) =>
      seeds
        .filter((seed) => row === null || row.embeddings(seed) !== null)
        .map((seed) => ({ row, place: rankerPlace(trainer.folder, row, start, seed) })),
    ),
  );
  const finished = new Map<string, RankerRun>();
  const missing: WantedRun[] = [];
  for (const each of wanted) {
    const { path, ...run } = each.place;
    const read = await attempt(unitOf(each.place), async () => ({ result: await readResult(path) }));
    if (read?.result === null) missing.push(each);
    else if (read !== null) finished.set(path, { ...run, result: read.result });
  }
  if (missing.length > 0) await trainMissing(trainer, missing, finished, progress, attempt);
  const runs = wanted.flatMap(({ place }) => finished.get(place.path) ?? []);
  if (missing.length > 0 || !costs.has('Rank')) {
    const bases = starts.includes('warm')
      ? await Promise.all(seeds.map((seed) => readResult(basePath(trainer.folder, seed))))
      : [];
    const trained = [...bases, ...runs.map(({ result }) => result)];
    const seconds = trained.reduce((sum, result) => sum + (result?.seconds ?? 0), 0);
    await costs.add('Rank', seconds, `${runs.length} rankers`);
  }
  return runs;
}

interface WantedRun {
  readonly row: PlannedRow;
  readonly place: RankerPlace;
}

/** Seed by seed, so that each lane has one ranker to go on from in memory. */
async function trainMissing(
  trainer: RankerTrainer,
  missing: readonly WantedRun[],
  finished: Map<string, RankerRun>,
  progress: Progress,
  attempt: Attempt,
): Promise<void> {
  progress({ kind: 'start', stage: 'Rank', total: missing.length, unit: 'rankers' });
  let done = 0;
  const { signal, config } = trainer;
  const seeds = config.seeds.filter((seed) => missing.some(({ place }) => place.seed === seed));
  await inLanes(seeds, config.parallel ?? defaultLanes(), {}, signal, async (seed, lane) => {
    const kept = new KeptRankers(trainer.on(lane));
    for (const { row, place } of bySource(missing.filter((each) => each.place.seed === seed))) {
      lane.signal?.throwIfAborted();
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
