/** What training starts from: state vectors, and files with what was learned before. */
import { readBackboneFile } from '../backbones/file.ts';
import { learnedUntilIn } from '../data/embeddings/learned-until.ts';
import { describeLoaded, loadWeights, readWeights, type WeightsFile } from '../encoders/published-weights.ts';
import { initialValues, type ParameterLayout } from '../graph/parameters.ts';
import type { FloatTensor } from '../graph/tensor.ts';
import type { UpdateOptions } from '../graph/update.ts';
import type { Progress } from '../progress.ts';
import { Random } from '../random.ts';
import { hashFile } from '../storage/files.ts';
import type { TrainingSettings } from './config.ts';

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
  return { hash: await hashFile(path), learnedUntil: learnedUntilOfWeights(file) };
}

/** A file of what was learned before. */
interface StartingFile {
  readonly path: string;
  /** Up to when it has seen clicks, milliseconds since 1970-01-01 UTC; null where that is not known. */
  readonly learnedUntil: number | null;
}

/**
 * The files that training begins with: weights, and pretrained networks.
 * @throws CourierError those of reading them
 */
export async function startingFiles({
  init,
  encoder,
}: Pick<TrainingSettings, 'init' | 'encoder'>): Promise<readonly StartingFile[]> {
  const networks = encoder.name === 'backbone' ? [encoder, ...encoder.beside].map(({ file }) => file) : [];
  const files: StartingFile[] = [];
  for (const path of networks) {
    const { learnedUntil } = await readBackboneFile(path);
    files.push({ path, learnedUntil });
  }
  if (init !== undefined)
    files.push({ path: init, learnedUntil: learnedUntilOfWeights(await readWeights(init)) });
  return files;
}

function learnedUntilOfWeights({ metadata }: WeightsFile): number | null {
  return learnedUntilIn(new Map(Object.entries(metadata)));
}
