/** What each stage of a run cost. */
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

/** Kept in the run folder, so that a resumed run still knows what its earlier stages cost. */
export class StageCosts {
  readonly #path: string;
  readonly #costs: Map<string, StageCost>;
  /** Stages that end at the same time are written one after the other. */
  #written: Promise<void> = Promise.resolve();

  private constructor(path: string, costs: Map<string, StageCost>) {
    this.#path = path;
    this.#costs = costs;
  }

  static async open(folder: string): Promise<StageCosts> {
    const path = join(folder, 'costs.json');
    if (!(await exists(path))) return new StageCosts(path, new Map());
    const stored = costsSchema.safeParse(parseJson((await readInput(path, 'Stage costs')).toString('utf8')));
    if (!stored.success) throw damaged(path);
    return new StageCosts(path, new Map(Object.entries(stored.data)));
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
    this.#costs.set(stage, { stage, seconds, peakMemoryBytes, detail });
    const writing = this.#written.then(() => writeJson(this.#path, Object.fromEntries(this.#costs)));
    // A failure is thrown to whom it concerns, and the next one tries again.
    this.#written = writing.catch(() => {});
    await writing;
  }
}

function damaged(path: string): CourierError {
  const remedy = 'Delete it and run the command again: the costs of earlier stages are then unknown.';
  return new CourierError('FILE_CORRUPT', `${path} does not hold the costs of stages.`, remedy);
}
