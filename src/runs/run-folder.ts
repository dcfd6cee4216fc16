/** A run folder: what a run produced, and the manifest that says how to produce it again. */

import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { oneProcess } from '../collectives/one-process.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import { broadcastJson } from '../collectives/texts.ts';
import { CourierError } from '../errors.ts';
import { exists, readInput, writeJson } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';
import { clearLeftovers } from '../storage/leftovers.ts';
import { clearBelow, releaseDeadBelow, withOutputFolder } from '../storage/lock.ts';
import { versions } from '../version.ts';
import { differences } from './differences.ts';

/** What decides a run's result: two runs of equal identity give the same artefacts. */
export interface RunIdentity {
  readonly pipeline: string;
  readonly config: unknown;
  readonly datasetHash: string;
}

const manifestSchema = z.object({
  pipeline: z.string(),
  config: z.unknown(),
  datasetHash: z.string(),
  versions: z.record(z.string(), z.string()),
  machine: z.string(),
  startedAt: z.string(),
});

export const manifestFile = 'manifest.json';

/** A folder in which no other process works. */
export class RunFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Holds a folder, made where it is not there, while the work lasts.
   * @throws CourierError OUTPUT_NOT_WRITABLE; OUTPUT_IN_USE when another process, or another call of this one, holds it
   */
  static hold<T>(path: string, work: (folder: RunFolder) => Promise<T>): Promise<T> {
    return withOutputFolder(path, () => work(new RunFolder(path)));
  }

  /** The same where several processes work together: the first one holds the folder for all, the others have none. */
  static holdForAll<T>(
    { rank }: Pick<ProcessGroup, 'rank'>,
    path: string,
    work: (folder: RunFolder | null) => Promise<T>,
  ): Promise<T> {
    return rank === 0 ? RunFolder.hold(path, work) : work(null);
  }

  /**
   * Begins a run, or finds it as an earlier call left it, without what was being written when that was killed.
   * @returns when the run was started first
   * @throws CourierError OUTPUT_NOT_WRITABLE; OUTPUT_EXISTS when the folder holds a different run
   */
  async begin(identity: RunIdentity): Promise<{ readonly startedAt: string }> {
    const known = await requireSameRun(this.path, identity);
    if (known !== null) {
      await clearBelow(this.path);
      return known;
    }
    await clearLeftovers(this.path, (name) => name === manifestFile);
    const startedAt = new Date().toISOString();
    const manifest = { ...identity, versions: versions(), machine: machine(), startedAt };
    await writeJson(join(this.path, manifestFile), manifest);
    return { startedAt };
  }
}

/**
 * Runs the work in a run folder that nobody else works in meanwhile.
 * @param group the processes that work in it together, each in files of its own: the first one holds it for all
 * @throws CourierError those of RunFolder
 */
export function withRunFolder<T>(
  path: string,
  identity: RunIdentity,
  work: (run: { readonly startedAt: string }) => Promise<T>,
  group: ProcessGroup = oneProcess,
): Promise<T> {
  return RunFolder.holdForAll(group, path, async (folder) => {
    const begun = (await folder?.begin(identity)) ?? { startedAt: '' };
    const run = await broadcastJson(group, begun);
    if (group.size > 1) {
      if (group.localRank === 0) await releaseDeadBelow(path);
      await group.barrier();
    }
    return work(run);
  });
}

/**
 * Looks whether a folder holds a run, and touches nothing.
 * @returns when it was started; null where there is none
 * @throws CourierError OUTPUT_EXISTS when it is a different one
 */
export async function requireSameRun(
  folder: string,
  identity: RunIdentity,
): Promise<{ readonly startedAt: string } | null> {
  const path = join(folder, manifestFile);
  if (!(await exists(path))) return null;
  const { pipeline, config, datasetHash, startedAt } = await readManifest(path);
  // Through JSON and back, as the stored one went.
  const wanted: RunIdentity = JSON.parse(JSON.stringify(identity));
  if (isDeepStrictEqual({ pipeline, config, datasetHash }, wanted)) return { startedAt };
  const what =
    pipeline === wanted.pipeline
      ? otherRun(differences(config, wanted.config), datasetHash === wanted.datasetHash)
      : `of ${pipeline}`;
  throw new CourierError(
    'OUTPUT_EXISTS',
    `${folder} holds a run ${what}.`,
    'Choose another output folder, or delete this one.',
  );
}

/** Says what differs, since it is often a setting that was forgotten. */
function otherRun(settings: readonly string[], ofThisDataset: boolean): string {
  const parts = [
    ...(settings.length === 0 ? [] : [`with other settings: ${settings.join(', ')}`]),
    ...(ofThisDataset ? [] : ['of another dataset']),
  ];
  return parts.join('; ');
}

async function readManifest(path: string) {
  const text = (await readInput(path, 'Run manifest')).toString('utf8');
  const parsed = manifestSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const remedy = 'Choose another output folder, or delete this one.';
  throw new CourierError('FILE_CORRUPT', `${path} is not a run manifest.`, remedy);
}

/** The processor, its cores and the memory, in words. */
export function machine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${first?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${memory} GiB, ${process.platform} ${process.arch}`;
}
