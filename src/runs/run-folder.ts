/** A run folder: what a run produced, and the manifest that says how to produce it again. */
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { CourierError } from '../errors.ts';
import { exists, prepareOutputFolder, readInput, writeJson } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';
import { versions } from '../version.ts';

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

/**
 * Makes a run folder, or finds it as an earlier call of the same run left it.
 * @returns when the run was started first
 * @throws CourierError OUTPUT_NOT_WRITABLE; OUTPUT_EXISTS when it holds a different run
 */
export async function openRunFolder(
  folder: string,
  identity: RunIdentity,
): Promise<{ readonly startedAt: string }> {
  await prepareOutputFolder(folder);
  const path = join(folder, manifestFile);
  // Through JSON and back, as the stored one went.
  const wanted: RunIdentity = JSON.parse(JSON.stringify(identity));
  if (!(await exists(path))) {
    const startedAt = new Date().toISOString();
    await writeJson(path, { ...wanted, versions: versions(), machine: machine(), startedAt });
    return { startedAt };
  }
  const manifest = await readManifest(path);
  const { pipeline, config, datasetHash } = manifest;
  if (isDeepStrictEqual({ pipeline, config, datasetHash }, wanted)) return { startedAt: manifest.startedAt };
  const what = pipeline === wanted.pipeline ? 'with another configuration or dataset' : `of ${pipeline}`;
  throw new CourierError(
    'OUTPUT_EXISTS',
    `${folder} holds a run ${what}.`,
    'Choose another output folder, or delete this one.',
  );
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
