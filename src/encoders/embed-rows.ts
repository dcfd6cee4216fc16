/** Photos → embeddings, whatever encodes them. */

import { mapAhead } from '../map-ahead.ts';
import { silent, type WorkOptions } from '../progress.ts';
import type { SeenPhotos } from './encoder.ts';

/**
 * Photos that are embedded at once: enough to fill the cores, little enough for activations to stay in the
 * caches.
 */
export const batchSize = 32;

/** An exported encoder, several threads with the same one, or an encoder under training. */
export interface BatchEncoder {
  /** Length d of an embedding. */
  readonly dimension: number;
  /** Batches that are computed at the same time. */
  readonly size: number;
  /** Embeds up to `batchSize` photos. (n, …) → (n, d) */
  embed(seen: Uint8Array | Float32Array): Promise<Float32Array>;
}

/** Embeds these photos, rows may repeat; the next batch is read while one is computed. (rows) → (rows, d) */
export async function embedRows(
  encoder: BatchEncoder,
  photos: SeenPhotos,
  rows: Int32Array,
  advance: (done: number) => void = () => {},
): Promise<Float32Array> {
  const { dimension, size } = encoder;
  const vectors = new Float32Array(rows.length * dimension);
  const embedBatch = async (batch: number) =>
    encoder.embed(photos.read(rows.subarray(batch * batchSize, (batch + 1) * batchSize)));
  const underWay = 2 * size;
  let done = 0;
  const batches = Math.ceil(rows.length / batchSize);
  for await (const embedded of mapAhead(batches, embedBatch, { active: underWay, ahead: underWay })) {
    vectors.set(embedded, done * dimension);
    done += embedded.length / dimension;
    advance(done);
  }
  return vectors;
}

/**
 * Embeds every photo. (M, …) → (M, d)
 * @throws the signal's reason once it is aborted
 */
export async function embedAll(
  encoder: BatchEncoder,
  photos: SeenPhotos,
  { progress = silent, signal }: WorkOptions = {},
): Promise<Float32Array> {
  const [stage, total] = ['Embed', photos.count];
  progress({ kind: 'start', stage, total, unit: 'photos' });
  const rows = Int32Array.from({ length: total }, (_, row) => row);
  const vectors = await embedRows(encoder, photos, rows, (done) => {
    signal?.throwIfAborted();
    progress({ kind: 'advance', stage, done });
  });
  progress({ kind: 'end', stage });
  return vectors;
}
