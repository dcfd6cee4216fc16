/** An exported encoder, ready to embed photos. */

import type { Photos } from '../data/image-cache.ts';
import { CourierError, messageOf } from '../errors.ts';
import { readInput } from '../files.ts';
import type { Progress } from '../progress.ts';
import { type Engine, floats, type Session } from '../runtime/engine.ts';

/** Photos that are embedded at once: enough to fill the cores, little enough to stay in the caches. */
const batch = 64;

export class ExportedEncoder {
  readonly #session: Session;
  readonly #path: string;

  private constructor(session: Session, path: string) {
    this.#session = session;
    this.#path = path;
  }

  /** @throws CourierError FILE_NOT_FOUND; FILE_CORRUPT for a file that is not a model */
  static async open(path: string, side: number, engine: Engine): Promise<ExportedEncoder> {
    const bytes = new Uint8Array(await readInput(path, 'Encoder'));
    const model = {
      encode: () => bytes,
      inputs: { photos: { type: 'uint8', shape: [1, side, side, 3] } },
      outputs: { embeddings: { type: 'float32', shape: [1] } },
    } as const;
    try {
      return new ExportedEncoder(await engine.load(model), path);
    } catch (error) {
      throw unusable(path, error);
    }
  }

  /**
   * Embeds every photo. (M, S, S, 3) → (M, d)
   * @throws CourierError VALUE_INVALID when the encoder takes photos of another side
   */
  async embedAll(photos: Photos, progress: Progress): Promise<Float32Array> {
    const parts: Float32Array[] = [];
    progress({ kind: 'start', stage: 'Embed', total: photos.count, unit: 'photos' });
    for (let from = 0; from < photos.count; from += batch) {
      const rows = Array.from({ length: Math.min(batch, photos.count - from) }, (_, index) => from + index);
      parts.push(await this.#embed(photos.read(rows)));
      progress({ kind: 'advance', stage: 'Embed', done: from + rows.length });
    }
    progress({ kind: 'end', stage: 'Embed' });
    const vectors = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
    let filled = 0;
    for (const part of parts) {
      vectors.set(part, filled);
      filled += part.length;
    }
    return vectors;
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  async #embed(photos: Uint8Array): Promise<Float32Array> {
    try {
      return floats(await this.#session.run({ photos }), 'embeddings');
    } catch (error) {
      throw unusable(this.#path, error);
    }
  }
}

function unusable(path: string, error: unknown): CourierError {
  const remedy = 'Use an encoder.onnx that pretrain wrote, for photos of the side of this dataset.';
  return new CourierError('FILE_CORRUPT', `Encoder ${path} cannot be used: ${messageOf(error)}`, remedy, {
    cause: error,
  });
}
