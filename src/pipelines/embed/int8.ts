/** The encoder in 8 bits: made once for a catalogue, and compared with itself in float32. */

import type { Dataset } from '../../data/dataset.ts';
import { photoExtensions } from '../../data/photos/decode-photo.ts';
import { batchSize, embedRows } from '../../encoders/embed-rows.ts';
import { type EncoderFile, readEncoderFile } from '../../encoders/file.ts';
import { ExportedEncoder } from '../../encoders/load.ts';
import { quantize, quantizedFrom } from '../../encoders/quantize.ts';
import { CourierError } from '../../errors.ts';
import type { Measured } from '../../metrics/measured.ts';
import { silent, type WorkOptions } from '../../progress.ts';
import { Random } from '../../random.ts';
import type { Engine } from '../../runtime/engine.ts';
import { exists, writeFileWhole } from '../../storage/files.ts';
import { chooseScreening, simScoreAuc } from '../../training/screening.ts';
import type { PhotoSource } from './source.ts';

/** Photos on which ranges are measured, and on which the two precisions are compared. */
const samplePhotos = 256;
/** Page views of the validation period on which they are compared. */
const screenedPageViews = 1000;
/** Each precision is timed so often, in turns; the fastest counts, which other work disturbed least. */
const timings = 5;
const seed = 1;

export interface PrecisionReport {
  /** The quantised model. */
  readonly model: string;
  /** Photos that were compared. */
  readonly photos: number;
  /** Cosine between the embeddings of the two precisions. */
  readonly cosine: { readonly mean: number; readonly worst: number };
  /** Photos per second, without reading and decoding them. */
  readonly photosPerSecond: { readonly float32: number; readonly int8: number };
  /** How many times faster int8 is on this machine. */
  readonly speedup: number;
  /** SimScore AUC on page views of the validation period; null without a dataset. */
  readonly auc: Measured<{ readonly float32: number; readonly int8: number }> | null;
}

/**
 * The quantised encoder of an output: the file at `path` where it was made from this encoder, so that embeddings
 * of later runs fit those of earlier ones; else a new one, for which photos of the source are measured.
 * @throws CourierError OUTPUT_EXISTS when something else is there
 */
export async function quantizedEncoder(
  encoder: EncoderFile,
  path: string,
  source: PhotoSource,
  engine: Engine,
  { progress = silent, signal }: WorkOptions,
): Promise<EncoderFile> {
  if (await exists(path)) {
    const known = await readEncoderFile(path).catch(() => null);
    const origin = known === null ? undefined : quantizedFrom(known);
    if (known !== null && origin === encoder.hash) return known;
    if (origin === undefined) throw somethingElse(path);
  }
  const photos = await sampleOf(source, 'calibration', signal);
  const quantized = await quantize(encoder, path, photos, engine);
  signal?.throwIfAborted();
  await writeFileWhole(path, quantized.bytes);
  const count = photos.reduce((sum, batch) => sum + batch.length / (encoder.side ** 2 * 3), 0);
  progress({ kind: 'note', text: `Quantised the encoder, measured on ${count} photos: ${path}` });
  return quantized;
}

/** Photos of the source in batches (≤ 32, S, S, 3), drawn at random but always the same. */
async function sampleOf(
  source: PhotoSource,
  purpose: string,
  signal: AbortSignal | undefined,
): Promise<readonly Uint8Array[]> {
  const order = Int32Array.from(source.ids, (_, item) => item);
  Random.seeded(seed, purpose).shuffle(order);
  const pixels: Uint8Array[] = [];
  for (const item of order) {
    signal?.throwIfAborted();
    const [photo] = await source.load([item], null);
    if (photo?.kind === 'pixels') pixels.push(photo.pixels);
    if (pixels.length === samplePhotos) break;
  }
  if (pixels.length === 0) throw noPhotos();
  return Array.from({ length: Math.ceil(pixels.length / batchSize) }, (_, batch) =>
    Buffer.concat(pixels.slice(batch * batchSize, (batch + 1) * batchSize)),
  );
}

/** No photo of a source can be used. */
export function noPhotos(): CourierError {
  return new CourierError(
    'FILE_CORRUPT',
    'None of the photos can be read.',
    `Check that they are whole files of a format that is read: ${photoExtensions.join(', ')}.`,
  );
}

/** Compares two precisions of an encoder by what they give and how fast. */
export async function comparePrecisions(
  encoder: EncoderFile,
  quantized: EncoderFile,
  source: PhotoSource,
  dataset: Dataset | null,
  engine: Engine,
  signal?: AbortSignal,
): Promise<PrecisionReport> {
  const float32 = await ExportedEncoder.load(encoder, engine);
  const int8 = await ExportedEncoder.load(quantized, engine);
  const batches = await sampleOf(source, 'comparison', signal);
  const photo = encoder.side ** 2 * 3;
  const photos = batches.reduce((sum, batch) => sum + batch.length / photo, 0);
  const seconds = { float32: Number.POSITIVE_INFINITY, int8: Number.POSITIVE_INFINITY };
  let cosines: readonly number[] = [];
  for (let turn = 0; turn < timings; turn++) {
    signal?.throwIfAborted();
    const plain = await timed(float32, batches);
    const small = await timed(int8, batches);
    seconds.float32 = Math.min(seconds.float32, plain.seconds);
    seconds.int8 = Math.min(seconds.int8, small.seconds);
    cosines = cosinesOf(plain.vectors, small.vectors, encoder.dimension);
  }
  return {
    model: quantized.path,
    photos,
    cosine: { mean: cosines.reduce((sum, cosine) => sum + cosine, 0) / photos, worst: Math.min(...cosines) },
    photosPerSecond: { float32: photos / seconds.float32, int8: photos / seconds.int8 },
    speedup: seconds.float32 / seconds.int8,
    auc: dataset === null ? null : await compareAuc(float32, int8, dataset),
  };
}

async function timed(encoder: ExportedEncoder, batches: readonly Uint8Array[]) {
  const started = performance.now();
  const parts: Float32Array[] = [];
  for (const batch of batches) parts.push(await encoder.embed(batch));
  const seconds = (performance.now() - started) / 1000;
  return { seconds, vectors: parts.flatMap((part) => [...part]) };
}

/** Of rows of unit length. (n, d), (n, d) → (n) */
function cosinesOf(a: readonly number[], b: readonly number[], dimension: number): readonly number[] {
  return Array.from({ length: a.length / dimension }, (_, row) => {
    let product = 0;
    for (let i = row * dimension; i < (row + 1) * dimension; i++) product += a[i]! * b[i]!;
    return product;
  });
}

async function compareAuc(
  float32: ExportedEncoder,
  int8: ExportedEncoder,
  dataset: Dataset,
): Promise<NonNullable<PrecisionReport['auc']>> {
  const screening = chooseScreening(
    dataset,
    'validation',
    screenedPageViews,
    Random.seeded(seed, 'screening'),
  );
  const aucOf = (encoder: ExportedEncoder) =>
    simScoreAuc(screening, (photos) => embedRows(encoder, dataset.images, photos));
  const [plain, small] = [await aucOf(float32), await aucOf(int8)];
  return plain === null || small === null
    ? { kind: 'undefined', why: 'The validation period has no clicks and non-clicks to compare on.' }
    : { kind: 'value', value: { float32: plain, int8: small } };
}

function somethingElse(path: string): CourierError {
  return new CourierError(
    'OUTPUT_EXISTS',
    `${path}, where the quantised encoder belongs, holds something else.`,
    'Choose another output file, or delete this one.',
  );
}
