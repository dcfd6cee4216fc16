/**
 * Embedding: encoder → embeddings of a whole catalogue. Of several processes each encodes the photos of a range of items, and the first
 * one writes.
 */

import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { requireSame } from '../../collectives/agreement.ts';
import { firstBeforeOthers } from '../../collectives/order.ts';
import type { ProcessGroup } from '../../collectives/process-group.ts';
import { broadcastJson } from '../../collectives/texts.ts';
import { processGroup } from '../../collectives/world.ts';
import { parseConfig } from '../../config.ts';
import type { Dataset, Finding } from '../../data/dataset.ts';
import {
  type MatrixFiles,
  matrixFiles,
  writeEmbeddingMatrix,
} from '../../data/embeddings/embedding-matrix.ts';
import { bytesOf, lengthOf, sizeOf } from '../../data/embeddings/embedding-size.ts';
import { writeTracedEmbeddings } from '../../data/embeddings/embeddings.ts';
import type { PhotosOf, Provenance } from '../../data/embeddings/provenance.ts';
import { Findings } from '../../data/findings.ts';
import { pixelsVersion } from '../../data/photos/decode-photo.ts';
import { closeDataset, loadDataset } from '../../data/store.ts';
import { type EncoderFile, learnedUntilOf, readEncoderFile } from '../../encoders/file.ts';
import { requireSide } from '../../encoders/load.ts';
import { EncoderPool } from '../../encoders/pool.ts';
import { CourierError } from '../../errors.ts';
import { type Progress, silent, type WorkOptions } from '../../progress.ts';
import type { Device } from '../../runtime/device.ts';
import { chooseDevice } from '../../runtime/devices.ts';
import { Engine } from '../../runtime/engine.ts';
import { prepareOutputFolder } from '../../storage/files.ts';
import { withOutput } from '../../storage/lock.ts';
import { type EmbedConfig, type EmbedConfigInput, embedConfig } from './config.ts';
import { comparePrecisions, noPhotos, type PrecisionReport, quantizedEncoder } from './int8.ts';
import { type EmbeddedPhotos, embedPhotos } from './photos.ts';
import { SharedEmbeddings } from './shared-embeddings.ts';
import { datasetSource, folderSource, type PhotoSource } from './source.ts';
import { EmbeddingStore } from './store.ts';

/** Embeddings at a size, beside the whole ones. */
export interface SmallerEmbeddings {
  readonly size: string;
  readonly embeddings: string;
  readonly npy: MatrixFiles | null;
  /** That an embedding takes. */
  readonly bytes: number;
}

export interface EmbedResult {
  readonly embeddings: string;
  /** The same as a matrix, with its ids; null where the settings ask for none. */
  readonly npy: MatrixFiles | null;
  /** The smaller forms that the settings ask for. */
  readonly sizes: readonly SmallerEmbeddings[];
  /** Items in the output: those whose photo was encoded now, and those whose embedding was taken over. */
  readonly items: number;
  readonly encoded: number;
  readonly reused: number;
  /** Photos that cannot be used; `findings` says why. */
  readonly failed: number;
  readonly dimension: number;
  readonly seconds: number;
  readonly findings: readonly Finding[];
  /** What the lower precision costs and gains; null for float32. */
  readonly precision: PrecisionReport | null;
}

/**
 * Embeds the photos of a catalogue and writes the embeddings by item id.
 *
 * Embeddings in an output of the same encoder and precision are taken over where the photo did not change, and
 * items that are gone drop out. What a run finished before it was killed is kept in `<out>.partial`, from where
 * the next one goes on, to the same bytes. Processes that mpirun started together share the work, and write what one writes.
 * @throws CourierError CONFIG_INVALID, FILE_NOT_FOUND, FILE_CORRUPT, OUTPUT_EXISTS, OUTPUT_IN_USE, OUTPUT_NOT_WRITABLE,
 * DEVICE_UNAVAILABLE, INTERRUPTED
 */
export async function embed(
  settings: EmbedConfigInput,
  { progress = silent, signal }: WorkOptions = {},
): Promise<EmbedResult> {
  const started = performance.now();
  const config = parseConfig(embedConfig, settings, 'embed configuration');
  const encoder = await readEncoderFile(config.encoder);
  requireSizes(config.sizes, encoder.dimension);
  const findings = new Findings();
  const result = await withSource(config, encoder, findings, async (source, dataset) => {
    const device = config.precision === 'int8' ? 'cpu' : await chooseDevice(config.device);
    const group = await processGroup();
    await requireSamePhotos(group, source);
    const own = await embedSource({
      group,
      config,
      device,
      encoder,
      source,
      dataset,
      findings,
      progress,
      signal,
    });
    return broadcastJson(group, own);
  });
  return { ...result, findings: findings.list(), seconds: (performance.now() - started) / 1000 };
}

async function withSource<T>(
  config: EmbedConfig,
  encoder: EncoderFile,
  findings: Findings,
  work: (source: PhotoSource, dataset: Dataset | null) => Promise<T>,
): Promise<T> {
  if (config.dataset === undefined) {
    const source = await folderSource(config.photos ?? '', encoder.side, findings);
    return work(source, null).finally(() => source.close());
  }
  const dataset = await loadDataset(config.dataset);
  try {
    requireSide(encoder, dataset.images.side);
    return await work(datasetSource(dataset), dataset);
  } finally {
    closeDataset(dataset);
  }
}

interface Job {
  readonly group: ProcessGroup;
  readonly config: EmbedConfig;
  readonly device: Device;
  readonly encoder: EncoderFile;
  readonly source: PhotoSource;
  readonly dataset: Dataset | null;
  readonly findings: Findings;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

async function embedSource(job: Job): Promise<Omit<EmbedResult, 'findings' | 'seconds'>> {
  const { out } = job.config;
  if (job.group.rank > 0) return embedInto(job);
  await prepareOutputFolder(dirname(out));
  const work = () => embedInto(job);
  return withOutput(out, job.config.precision === 'int8' ? () => withOutput(quantizedPath(out), work) : work);
}

async function embedInto(job: Job): Promise<Omit<EmbedResult, 'findings' | 'seconds'>> {
  const { group, config, encoder, source, dataset, signal } = job;
  if (config.precision === 'float32') return { ...(await embedWith(encoder, job)), precision: null };
  const engine = Engine.start();
  try {
    const small = await firstBeforeOthers(group, () =>
      quantizedEncoder(encoder, quantizedPath(config.out), source, engine, job),
    );
    const result = await embedWith(small, job);
    if (group.rank > 0) return { ...result, precision: null };
    return { ...result, precision: await comparePrecisions(encoder, small, source, dataset, engine, signal) };
  } finally {
    await engine.close();
  }
}

/** Embeds with the model that runs: the encoder, or what became of it. */
async function embedWith(
  file: EncoderFile,
  { group, config, device, encoder, source, dataset, findings, progress, signal }: Job,
): Promise<Omit<EmbedResult, 'findings' | 'seconds' | 'precision'>> {
  const { out, precision } = config;
  const { dimension } = encoder;
  const origin = { encoder: encoder.hash, precision, model: file.hash };
  const decoded = dataset === null ? { pixels: pixelsVersion } : {};
  const store = group.rank === 0 ? await EmbeddingStore.open(out, { ...origin, ...decoded }) : null;
  const pool = await EncoderPool.open(file, device);
  try {
    if (store?.found === 'another origin') {
      const text = `${out} is from another encoder, precision or version, or does not say: everything is encoded anew.`;
      progress({ kind: 'note', text });
    }
    const embeddings = await SharedEmbeddings.open(group, store, dimension);
    const embedded = await embedPhotos(group, source, pool, embeddings, findings, progress, signal);
    const photosOf = dataset === null ? null : photosOfDataset(dataset);
    const provenance = { origin, learnedUntil: learnedUntilOf(encoder), photosOf, ...decoded };
    const items =
      store === null ? 0 : await writeOutput(config, source, embedded, store, provenance, dimension);
    await store?.remove();
    const { encoded, reused } = embedded;
    const npy = config.npy ? matrixFiles(out) : null;
    const sizes = config.sizes.map((size) => smallerForm(config, size, dimension));
    const failed = source.ids.length - items;
    return { embeddings: out, npy, sizes, items, encoded, reused, failed, dimension };
  } finally {
    await pool.close();
    await store?.close();
  }
}

/**
 * Looks whether all have the same photos to share.
 * @throws CourierError PROCESSES_DIFFER
 */
async function requireSamePhotos(group: ProcessGroup, { ids }: PhotoSource): Promise<void> {
  if (group.size === 1) return;
  const hash = createHash('sha256');
  for (const id of ids) hash.update(id).update('\0');
  await requireSame(
    group,
    hash.digest('hex'),
    'other photos',
    'Name a folder that all machines share, and let nobody write into it meanwhile.',
  );
}

function photosOfDataset({ hash, images: { side, form } }: Dataset): PhotosOf {
  return { dataset: hash, side, kept: form };
}

/** `embeddings.parquet` → `embeddings.int8.onnx` */
function quantizedPath(out: string): string {
  return `${out.replace(/\.parquet$/, '')}.int8.onnx`;
}

/** `embeddings.parquet` → `embeddings.64-int8.parquet` */
function smallerForm(
  { out, npy }: Pick<EmbedConfig, 'out' | 'npy'>,
  size: string,
  dimension: number,
): SmallerEmbeddings {
  const embeddings = `${out.replace(/\.parquet$/i, '')}.${size}.parquet`;
  const bytes = bytesOf(sizeOf(size), dimension);
  return { size, embeddings, npy: npy ? matrixFiles(embeddings) : null, bytes };
}

/** @throws CourierError CONFIG_INVALID for more numbers than an embedding has */
function requireSizes(sizes: readonly string[], dimension: number): void {
  const long = sizes.filter((size) => lengthOf(sizeOf(size), 0) > dimension);
  if (long.length === 0) return;
  throw new CourierError(
    'CONFIG_INVALID',
    `Invalid embed configuration: \`sizes\` has ${long.join(', ')}, and the encoder gives ${dimension} numbers.`,
    `Ask for ${dimension} numbers at most.`,
  );
}

/** @returns the number of items written */
async function writeOutput(
  { out, npy, sizes }: EmbedConfig,
  { ids }: PhotoSource,
  { hashes: found }: EmbeddedPhotos,
  store: EmbeddingStore,
  provenance: Provenance,
  dimension: number,
): Promise<number> {
  const [written, hashes]: [string[], string[]] = [[], []];
  for (const [item, hash] of found.entries()) {
    if (hash === null) continue;
    written.push(ids[item]!);
    hashes.push(hash);
  }
  if (hashes.length === 0) throw noPhotos();
  const vectors = { length: hashes.length, dimension, at: (row: number) => store.of(hashes[row]!) };
  const traced = { ids: written, vectors, hashes, provenance };
  await writeTracedEmbeddings(out, traced);
  if (npy) await writeEmbeddingMatrix(matrixFiles(out), traced);
  for (const size of sizes) {
    const smaller = smallerForm({ out, npy }, size, dimension);
    await writeTracedEmbeddings(smaller.embeddings, traced, sizeOf(size));
    if (smaller.npy !== null) await writeEmbeddingMatrix(smaller.npy, traced, sizeOf(size));
  }
  return hashes.length;
}
