/** The end of a training that has lost its way. */
import { join } from 'node:path';
import { CourierError } from '../errors.ts';
import { collapsedBelow, type Spread } from '../objectives/collapse.ts';
import type { PhotoBatch } from '../objectives/objective.ts';
import { type SafeArray, type SafeTensor, writeSafeTensors } from '../storage/safetensors.ts';

/**
 * Saves the batch of a step whose losses are not numbers, so that it can be looked at.
 * @param folder where; null in a process that leaves that to another one
 * @throws CourierError TRAINING_DIVERGED
 */
export async function requireFinite(
  losses: Readonly<Record<string, number>>,
  step: number,
  batch: PhotoBatch,
  folder: string | null,
): Promise<void> {
  if (Object.values(losses).every(Number.isFinite)) return;
  const file = `diverged-step-${step}.safetensors`;
  if (folder !== null) await saveBatch(join(folder, file), batch, step);
  const values = Object.entries(losses).map(([name, value]) => `${name} ${value}`);
  throw new CourierError(
    'TRAINING_DIVERGED',
    `Training diverged at step ${step} (${values.join(', ')}); its batch is in ${folder === null ? file : join(folder, file)}.`,
    'Lower the learning rate, and train into a new output folder.',
  );
}

async function saveBatch(path: string, batch: PhotoBatch, step: number): Promise<void> {
  const tensors = Object.entries(batch).map(([name, data]: [string, SafeArray]): [string, SafeTensor] => [
    name,
    { shape: [data.length], data },
  ]);
  await writeSafeTensors(path, { metadata: { step: String(step) }, tensors: new Map(tensors) });
}

/** What ends a run whose embeddings have become the same, or nearly. */
export function collapsedAt(step: number, { embeddingDeviation, effectiveRank }: Spread): CourierError {
  const { embeddingDeviation: deviation, effectiveRank: rank } = collapsedBelow;
  return new CourierError(
    'TRAINING_COLLAPSED',
    `Embeddings collapsed by step ${step}: their deviation is ${embeddingDeviation.toFixed(3)} (healthy above ${deviation}), their effective rank ${effectiveRank.toFixed(2)} (above ${rank}).`,
    'Choose another objective or a lower learning rate; set `collapse` to `continue` to let the same run go on.',
  );
}
