/** Everything a training run needs to go on where it stopped, in one safetensors file. */
import { z } from 'zod';
import { CourierError } from '../errors.ts';
import { exists } from '../files.ts';
import { parseJson } from '../json.ts';
import {
  floatTensor,
  readSafeTensors,
  type SafeArray,
  type SafeTensor,
  writeSafeTensors,
} from '../runtime/safetensors.ts';
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

/** @param run identifies the run, so that a checkpoint is never continued by another one */
export async function saveCheckpoint(
  path: string,
  run: string,
  layout: ParameterLayout,
  checkpoint: Checkpoint,
): Promise<void> {
  const tensors = new Map<string, SafeTensor>();
  for (const [vector, values] of Object.entries(checkpoint.vectors)) {
    const parts = namedParts(layout, values);
    for (const { name, shape } of layout.places)
      tensors.set(`${vector}/${name}`, { shape, data: parts.get(name)! });
  }
  for (const [name, data] of Object.entries(checkpoint.arrays))
    tensors.set(arrayPrefix + name, { shape: [data.length], data });
  const metadata = { step: String(checkpoint.step), run, progress: JSON.stringify(checkpoint.progress) };
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
  const content = await readSafeTensors(path, 'Checkpoint');
  const metadata = metadataSchema.safeParse(content.metadata);
  if (!metadata.success || metadata.data.run !== run) throw invalid(path, 'belongs to another run');
  const loaded: Record<string, Float32Array> = {};
  for (const vector of vectors) {
    const values = new Float32Array(layout.size);
    for (const { name, offset, size } of layout.places) {
      const key = `${vector}/${name}`;
      if (content.tensors.get(key)?.data.length !== size)
        throw invalid(path, `lacks ${key} of ${size} values`);
      values.set(floatTensor(content, key).data, offset);
    }
    loaded[vector] = values;
  }
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
