/** The files that a training leaves of what it learned. */
import { join } from 'node:path';
import { exportEncoder } from '../encoders/export.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import type { Lesson, PhotoBatch } from '../objectives/objective.ts';
import { writeFileWhole } from '../storage/files.ts';
import type { SeeingEncoder } from './seeing-encoder.ts';

export const encoderFile = 'encoder.onnx';

/**
 * The learned part of an encoder whose other part is a pretrained network: from components of its features, or from what the
 * frozen part of it says, to embeddings.
 */
export const headFile = 'head.onnx';

interface Learned {
  readonly layout: ParameterLayout;
  /** The best parameters. (P) */
  readonly best: Float32Array;
  /** As `learnedUntilMetadata` has it. */
  readonly learnedUntil: number | null;
}

/**
 * Writes the encoder, and what the objective and a pretrained network have beside it.
 * @throws CourierError OUTPUT_NOT_WRITABLE
 */
export async function writeEncoder<Batch extends PhotoBatch>(
  folder: string,
  lesson: Lesson<Batch>,
  seeing: SeeingEncoder,
  { layout, best, learnedUntil }: Learned,
): Promise<void> {
  const write = (file: string, bytes: Uint8Array) => writeFileWhole(join(folder, file), bytes);
  for (const [file, model] of Object.entries(lesson.exports(layout, best)))
    await write(file, model.encode('standard'));
  if (seeing.hash !== null) {
    const head = exportEncoder(seeing.encoder, layout, best, learnedUntil);
    await write(headFile, head.encode('standard'));
  }
  for (const [file, bytes] of Object.entries(seeing.alongside(layout, best, learnedUntil)))
    await write(file, bytes);
  await write(encoderFile, seeing.exported(layout, best, learnedUntil).encode('standard'));
}
