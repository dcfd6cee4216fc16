/** An exported encoder, ready to embed photos. */
import type { Photos } from '../data/image-cache.ts';
import type { Progress } from '../progress.ts';
import { type Engine, floats, type Session } from '../runtime/engine.ts';
import { type EncoderFile, modelOf, readEncoderFile, unusableEncoder } from './file.ts';

/**
 * Photos that are embedded at once: enough to fill the cores, little enough for activations to stay in the
 * caches.
 */
export const batchSize = 32;

export class ExportedEncoder {
  readonly file: EncoderFile;
  readonly #session: Session;

  private constructor(session: Session, file: EncoderFile) {
    this.#session = session;
    this.file = file;
  }

  /** @throws CourierError FILE_NOT_FOUND; FILE_CORRUPT for a file that is no encoder of photos of this side */
  static async open(path: string, side: number, engine: Engine): Promise<ExportedEncoder> {
    const file = await readEncoderFile(path);
    requireSide(file, side);
    return ExportedEncoder.load(file, engine);
  }

  /** @throws CourierError FILE_CORRUPT when the engine does not take the model */
  static async load(file: EncoderFile, engine: Engine): Promise<ExportedEncoder> {
    try {
      return new ExportedEncoder(await engine.load(modelOf(file)), file);
    } catch (error) {
      throw unusableEncoder(file.path, error);
    }
  }

  /** Embeds every photo. (M, S, S, 3) → (M, d) */
  async embedAll(photos: Photos, progress: Progress, signal?: AbortSignal): Promise<Float32Array> {
    const rows = Int32Array.from({ length: photos.count }, (_, row) => row);
    progress({ kind: 'start', stage: 'Embed', total: photos.count, unit: 'photos' });
    const vectors = await this.embedRows(photos, rows, (done) => {
      signal?.throwIfAborted();
      progress({ kind: 'advance', stage: 'Embed', done });
    });
    progress({ kind: 'end', stage: 'Embed' });
    return vectors;
  }

  /** Embeds these photos, rows may repeat. (rows) → (rows, d) */
  async embedRows(
    photos: Photos,
    rows: Int32Array,
    advance: (done: number) => void = () => {},
  ): Promise<Float32Array> {
    const vectors = new Float32Array(rows.length * this.file.dimension);
    for (let from = 0; from < rows.length; from += batchSize) {
      const batch = rows.subarray(from, from + batchSize);
      vectors.set(await this.embed(photos.read(batch)), from * this.file.dimension);
      advance(from + batch.length);
    }
    return vectors;
  }

  /**
   * Embeds up to `batchSize` photos. (n, S, S, 3) → (n, d)
   *
   * What is missing to a whole batch is filled up with blank photos: ONNX Runtime adds in another order for a
   * single photo, and an embedding is to be the same to the last bit in whatever company it was computed.
   * @throws CourierError FILE_CORRUPT when the model fails, or gives what is no number
   */
  async embed(pixels: Uint8Array): Promise<Float32Array> {
    const { path, side, dimension } = this.file;
    const photo = side * side * 3;
    const count = pixels.length / photo;
    if (!Number.isInteger(count) || count > batchSize) throw new Error(`${count} photos are no batch`);
    const batch = new Uint8Array(batchSize * photo);
    batch.set(pixels);
    try {
      const vectors = floats(await this.#session.run({ photos: batch }), 'embeddings');
      if (vectors.length !== batchSize * dimension) throw new Error(`it gave ${vectors.length} values`);
      const embeddings = vectors.subarray(0, count * dimension);
      if (!embeddings.every(Number.isFinite)) throw new Error('it gave values that are no numbers');
      return embeddings;
    } catch (error) {
      throw unusableEncoder(path, error);
    }
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}

/** @throws CourierError FILE_CORRUPT when the encoder takes photos of another side */
export function requireSide(file: EncoderFile, side: number): void {
  if (file.side === side) return;
  throw unusableEncoder(file.path, `it takes photos of ${file.side} pixels a side, not ${side}.`);
}
