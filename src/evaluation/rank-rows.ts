/** The rankers of an evaluation: one for each row, seed and start, each kept as soon as it is trained. */
import { join } from 'node:path';
import type { Progress } from '../progress.ts';
import type { RankerResult } from '../rankers/train.ts';
import type { Start } from '../report/report.ts';
import { type Attempt, plainly } from '../runs/failures.ts';
import { defaultLanes, inLanes } from '../runs/lanes.ts';
import type { StageCosts } from '../runs/stage-costs.ts';
import type { PlannedRow, RankerTrainer } from './evaluation.ts';
import { type Base, readBase, readCell, writeBase, writeCell } from './ranker-file.ts';
import type { TableCell } from './table.ts';

/** Where a row stands in the table, and its seed. */
export interface CellPlace extends Omit<TableCell, 'result'> {
  readonly path: string;
}

/** Where the ranker of a row, seed and start is kept. @param row null: without images */
export function cellPlace(
  out: string,
  row: { readonly source: string; readonly features: string } | null,
  start: Start,
  seed: number,
): CellPlace {
  const path = join(out, 'rankers', `${nameOf(row)}-${start}-seed-${seed}.safetensors`);
  return { source: row?.source ?? null, features: row?.features ?? null, start, seed, path };
}

/** Where the ranker without images that warm ones of a seed go on from is kept. */
export function basePath(out: string, seed: number): string {
  return join(out, 'rankers', `base-seed-${seed}.safetensors`);
}

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
): Promise<readonly TableCell[]> {
  const { seeds, starts, out } = trainer.config;
  const wanted = starts.flatMap((start) =>
    rows.flatMap((row) =>
      seeds
        .filter((seed) => row === null || row.embeddings(seed) !== null)
        .map((seed) => ({ row, place: cellPlace(out, row, start, seed) })),
    ),
  );
  const finished = new Map<string, TableCell>();
  const missing: WantedCell[] = [];
  for (const each of wanted) {
    const { path, ...cell } = each.place;
    const read = await attempt(unitOf(each.place), async () => ({ result: await readCell(path) }));
    if (read?.result === null) missing.push(each);
    else if (read !== null) finished.set(path, { ...cell, result: read.result });
  }
  if (missing.length > 0) await trainMissing(trainer, missing, finished, progress, attempt);
  const cells = wanted.flatMap(({ place }) => finished.get(place.path) ?? []);
  if (missing.length > 0 || !costs.has('Rank')) {
    // From scratch the ranker to go on from is a cell itself.
    const bases = starts.includes('scratch')
      ? []
      : await Promise.all(seeds.map((seed) => readCell(basePath(out, seed))));
    const trained = [...bases, ...cells.map(({ result }) => result)];
    const seconds = trained.reduce((sum, result) => sum + (result?.seconds ?? 0), 0);
    await costs.add('Rank', seconds, `${cells.length} rankers`);
  }
  return cells;
}

interface WantedCell {
  readonly row: PlannedRow;
  readonly place: CellPlace;
}

/** Seed by seed, so that each lane has one ranker to go on from in memory. */
async function trainMissing(
  trainer: RankerTrainer,
  missing: readonly WantedCell[],
  finished: Map<string, TableCell>,
  progress: Progress,
  attempt: Attempt,
): Promise<void> {
  progress({ kind: 'start', stage: 'Rank', total: missing.length, unit: 'rankers' });
  let done = 0;
  const { signal, config } = trainer;
  const seeds = config.seeds.filter((seed) => missing.some(({ place }) => place.seed === seed));
  await inLanes(seeds, config.parallel ?? defaultLanes(), {}, signal, async (seed, lane) => {
    const own = trainer.on(lane);
    const base = new BaseRanker(own, seed);
    for (const { row, place } of bySource(missing.filter((each) => each.place.seed === seed))) {
      lane.signal?.throwIfAborted();
      const { path, ...cell } = place;
      const result = await attempt(unitOf(place), async () => {
        const trained = await trainCell(own, row, place, base);
        await writeCell(path, trained);
        return trained;
      });
      if (result !== null) finished.set(path, { ...cell, result });
      const detail = `${nameOf(row)}, ${place.start}, seed ${seed}`;
      progress({ kind: 'advance', stage: 'Rank', done: ++done, detail });
    }
  });
  progress({ kind: 'end', stage: 'Rank' });
}

/** Rankers that share embeddings one after the other, in the order in which their source comes first. */
function bySource(wanted: readonly WantedCell[]): readonly WantedCell[] {
  const sources = [...new Set(wanted.map(({ place }) => place.source))];
  return sources.flatMap((source) => wanted.filter(({ place }) => place.source === source));
}

/** The ranker without images of a seed, trained from nothing when it is first asked for, unless it is there. */
class BaseRanker {
  readonly #trainer: RankerTrainer;
  readonly #seed: number;
  #made: Promise<Base> | null = null;

  constructor(trainer: RankerTrainer, seed: number) {
    this.#trainer = trainer;
    this.#seed = seed;
  }

  get(): Promise<Base> {
    this.#made ??= this.#make();
    return this.#made;
  }

  async #make(): Promise<Base> {
    const path = basePath(this.#trainer.config.out, this.#seed);
    const kept = await readBase(path);
    if (kept !== null) return kept;
    const { result, state, model } = await this.#trainer.train(null, this.#seed, null);
    await model.release();
    await writeBase(path, { result, state });
    return { result, state };
  }
}

async function trainCell(
  trainer: RankerTrainer,
  row: PlannedRow,
  { start, seed }: CellPlace,
  base: BaseRanker,
): Promise<RankerResult> {
  if (start === 'scratch' && row === null) return (await base.get()).result;
  const from = start === 'warm' ? (await base.get()).state : null;
  const { result, model } = await trainer.train(row, seed, from);
  await model.release();
  return result;
}

function unitOf({ source, features, start, seed }: CellPlace) {
  return { stage: 'rank', source, features, start, seed } as const;
}

function nameOf(row: { readonly source: string; readonly features: string } | null): string {
  return row === null ? 'none' : `${row.source}-${row.features}`;
}
