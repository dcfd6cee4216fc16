/** What `bench smoke` has measured before: a line of JSON for each run. */
import { appendFile, readFile } from 'node:fs/promises';
import { z } from 'zod';
import { hasSystemCode } from '../src/errors.ts';
import { median } from '../src/metrics/quantile.ts';

const runSchema = z.strictObject({
  version: z.string(),
  commit: z.string(),
  date: z.iso.datetime(),
  machine: z.string(),
  /** By case; the higher, the better. */
  ratios: z.record(z.string(), z.number().positive()),
});

export type SmokeRun = z.output<typeof runSchema>;

/** A ratio that is lower than it was. */
export interface Fallen {
  readonly name: string;
  readonly ratio: number;
  /** Median of the earlier runs. */
  readonly before: number;
}

/** Share of the median of earlier runs below which a ratio has fallen: noise of a machine that others use stays above. */
const tolerance = 0.75;
/** Runs that make a median. */
const fewestRuns = 3;

/** What has fallen in a run, compared with earlier ones on the same kind of machine. */
export function fallenIn(run: SmokeRun, earlier: readonly SmokeRun[]): readonly Fallen[] {
  const alike = earlier.filter(({ machine }) => machine === run.machine);
  return Object.entries(run.ratios).flatMap(([name, ratio]) => {
    const known = alike.flatMap(({ ratios }) => ratios[name] ?? []);
    if (known.length < fewestRuns) return [];
    const before = median(known);
    return ratio < tolerance * before ? [{ name, ratio, before }] : [];
  });
}

/** The runs of a file, oldest first; none where there is no file. */
export async function readHistory(path: URL): Promise<readonly SmokeRun[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasSystemCode(error, 'ENOENT')) return '';
    throw error;
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => runSchema.parse(JSON.parse(line)));
}

export async function addToHistory(path: URL, run: SmokeRun): Promise<void> {
  await appendFile(path, `${JSON.stringify(run)}\n`);
}
