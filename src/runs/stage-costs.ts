/** What each stage of a run cost. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CourierError } from '../errors.ts';
import type { StageCost } from '../report/report.ts';
import { exists, readInput, writeJson } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';

const costsSchema = z.record(
  z.string(),
  z.object({ stage: z.string(), seconds: z.number(), peakMemoryBytes: z.number(), detail: z.string() }),
);

/** Of the first process, and of the others that worked with it. */
const costsFile = /^costs(-\d+)?\.json$/;

/**
 * Kept in the run folder, so that a resumed run still knows what its earlier stages cost. Of several processes each keeps those of its own
 * stages in a file of its own, and knows those of all.
 */
export class StageCosts {
  readonly #folder: string;
  readonly #path: string;
  /** Those that are in the file of this process. */
  readonly #own: Map<string, StageCost>;
  #costs: Map<string, StageCost>;
  /** Stages that end at the same time are written one after the other. */
  #written: Promise<void> = Promise.resolve();

  private constructor(
    folder: string,
    path: string,
    own: Map<string, StageCost>,
    costs: Map<string, StageCost>,
  ) {
    this.#folder = folder;
    this.#path = path;
    this.#own = own;
    this.#costs = costs;
  }

  /** @param rank of this process among those that work in the folder */
  static async open(folder: string, rank = 0): Promise<StageCosts> {
    const path = join(folder, rank === 0 ? 'costs.json' : `costs-${rank + 1}.json`);
    return new StageCosts(folder, path, await readCosts(path), await readAllCosts(folder));
  }

  /** Reads again what other processes have kept. */
  async refresh(): Promise<void> {
    this.#costs = await readAllCosts(this.#folder);
  }

  get all(): readonly StageCost[] {
    return [...this.#costs.values()];
  }

  has(stage: string): boolean {
    return this.#costs.has(stage);
  }

  /** Runs a stage and keeps its wall time and the process' peak memory so far. */
  async measure(stage: string, run: () => Promise<string>): Promise<void> {
    const started = performance.now();
    const detail = await run();
    await this.add(stage, (performance.now() - started) / 1000, detail);
  }

  async add(stage: string, seconds: number, detail: string): Promise<void> {
    const peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
    const cost = { stage, seconds, peakMemoryBytes, detail };
    this.#costs.set(stage, cost);
    this.#own.set(stage, cost);
    const writing = this.#written.then(() => writeJson(this.#path, Object.fromEntries(this.#own)));
    // A failure is thrown to whom it concerns, and the next one tries again.
    this.#written = writing.catch(() => {});
    await writing;
  }
}

/** Those of the first process last: of what all did its own count. */
async function readAllCosts(folder: string): Promise<Map<string, StageCost>> {
  const names = (await exists(folder)) ? await readdir(folder) : [];
  const files = names.filter((name) => costsFile.test(name)).sort();
  const all = await Promise.all(files.map((name) => readCosts(join(folder, name))));
  return new Map(all.flatMap((costs) => [...costs]));
}

async function readCosts(path: string): Promise<Map<string, StageCost>> {
  if (!(await exists(path))) return new Map();
  const stored = costsSchema.safeParse(parseJson((await readInput(path, 'Stage costs')).toString('utf8')));
  if (!stored.success) throw damaged(path);
  return new Map(Object.entries(stored.data));
}

function damaged(path: string): CourierError {
  const remedy = 'Delete it and run the command again: the costs of earlier stages are then unknown.';
  return new CourierError('FILE_CORRUPT', `${path} does not hold the costs of stages.`, remedy);
}
