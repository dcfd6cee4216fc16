/** The state vectors that training starts from. */
import { learnedUntilIn } from '../data/learned-until.ts';
import { describeLoaded, loadWeights, readWeights } from '../encoders/published-weights.ts';
import { initialValues, type ParameterLayout } from '../graph/parameters.ts';
import type { FloatTensor } from '../graph/tensor.ts';
import type { UpdateOptions } from '../graph/update.ts';
import type { Progress } from '../progress.ts';
import { Random } from '../random.ts';
import { hashFile } from '../storage/files.ts';

/** New parameters, an average that begins with them, and slots of zeros. */
export function freshVectors(
  tensors: readonly FloatTensor[],
  update: UpdateOptions,
  seed: number,
): Readonly<Record<string, Float32Array>> {
  const parameters = initialValues(tensors, Random.seeded(seed, 'parameters'));
  const slots = update.optimizer.slots.map((slot) => [slot, new Float32Array(parameters.length)]);
  const average = update.averageDecay === null ? {} : { average: parameters.slice() };
  return { parameters, ...Object.fromEntries(slots), ...average };
}

/** What training starts from, if not from fresh parameters. */
export interface StartingPoint {
  /** SHA-256 of its file. */
  readonly hash: string;
  /** Up to when it has seen clicks, milliseconds since 1970-01-01 UTC; null where that is not known. */
  readonly learnedUntil: number | null;
}

/** Copies weights from a file over the fresh ones. */
export async function startFrom(
  path: string,
  layout: ParameterLayout,
  vectors: Readonly<Record<string, Float32Array>>,
  progress: Progress,
): Promise<StartingPoint> {
  const file = await readWeights(path);
  const loaded = loadWeights(file, layout, vectors['parameters']!, path);
  vectors['average']?.set(vectors['parameters']!);
  progress({ kind: 'note', text: describeLoaded(loaded, path) });
  const learnedUntil = learnedUntilIn(new Map(Object.entries(file.metadata)));
  return { hash: await hashFile(path), learnedUntil };
}
