/** Everything a training run needs to go on where it stopped, in one safetensors file. */

import { z } from 'zod';
import { CourierError } from '../errors.ts';
import { exists } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';
import {
  readSafeTensors,
  type SafeArray,
  type SafeTensor,
  writeSafeTensors,
} from '../storage/safetensors.ts';
import { namedParts, type ParameterLayout } from './parameters.ts';

export interface Checkpoint {
  readonly step: number;
  /** State vectors (P) by name: the parameters, the optimiser's slots, the best parameters so far. */
  readonly vectors: Readonly<Record<string, Float32Array>>;
  /** Numbers of other lengths that must survive, by name. */
  readonly arrays: Readonly<Record<string, SafeArray>>;
  /** Whatever else must survive, as JSON: the sampler's place, the best score. */
  readonly progress: unknown;
}

const arrayPrefix = 'memory/';

const metadataSchema = z.object({
  step: z.coerce.number().int().nonnegative(),
  run: z.string(),
  progress: z.string(),
});

/**
 * @param run identifies the run, so that a checkpoint is never continued by another one
 * @param about further metadata, of what the parameters are
 */
export async function saveCheckpoint(
  path: string,
  run: string,
  layout: ParameterLayout,
  checkpoint: Checkpoint,
  about: Readonly<Record<string, string>> = {},
): Promise<void> {
  const tensors = new Map<string, SafeTensor>();
  for (const [vector, values] of Object.entries(checkpoint.vectors)) {
    const parts = namedParts(layout, values);
    for (const { name, shape } of layout.places)
      tensors.set(`${vector}/${name}`, { shape, data: parts.get(name)! });
  }
  for (const [name, data] of Object.entries(checkpoint.arrays))
    tensors.set(arrayPrefix + name, { shape: [data.length], data });
  const metadata = {
    ...about,
    step: String(checkpoint.step),
    run,
    progress: JSON.stringify(checkpoint.progress),
  };
  await writeSafeTensors(path, { metadata, tensors });
}

/**
 * @returns null when there is none yet
 * @throws CourierError FILE_CORRUPT; CHECKPOINT_INVALID when it is of another run or model
 */
export async function loadCheckpoint(
  path: string,
  run: string,
  layout: ParameterLayout,
  vectors: readonly string[],
): Promise<Checkpoint | null> {
  if (!(await exists(path))) return null;
  const loaded = Object.fromEntries(vectors.map((name) => [name, new Float32Array(layout.size)]));
  const places = new Map(
    Object.entries(loaded).flatMap(([vector, values]) =>
      [...namedParts(layout, values)].map(([name, part]): [string, Float32Array] => [
        `${vector}/${name}`,
        part,
      ]),
    ),
  );
  const content = await readSafeTensors(
    path,
    'Checkpoint',
    (name) => places.get(name) ?? (name.startsWith(arrayPrefix) ? 'new' : 'none'),
  );
  const metadata = metadataSchema.safeParse(content.metadata);
  if (!metadata.success || metadata.data.run !== run) throw invalid(path, 'belongs to another run');
  for (const [name, { length }] of places)
    if (!content.tensors.has(name)) throw invalid(path, `lacks ${name} of ${length} values`);
  const arrays = [...content.tensors]
    .filter(([name]) => name.startsWith(arrayPrefix))
    .map(([name, { data }]) => [name.slice(arrayPrefix.length), data]);
  const { step, progress } = metadata.data;
  return { step, vectors: loaded, arrays: Object.fromEntries(arrays), progress: parseJson(progress) };
}

function invalid(path: string, problem: string): CourierError {
  return new CourierError(
    'CHECKPOINT_INVALID',
    `Checkpoint ${path} ${problem}.`,
    'Choose another output folder, or delete the checkpoint to start over.',
  );
}
