/**
 * What a pretrained network says of the photos of a dataset. It runs once over a catalogue: its features are kept beside the
 * dataset, and so is what whitening makes of them, so that a training begins where another one of the same photos began.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Backbone } from '../backbones/backbone.ts';
import { FeatureRows } from '../backbones/feature-rows.ts';
import { fitGrids } from '../backbones/grid-whitening.ts';
import { widthOf } from '../backbones/taps.ts';
import { fitWhitening } from '../backbones/whitening.ts';
import type { Photos } from '../data/photos/image-cache.ts';
import { type BatchEncoder, embedRows } from '../encoders/embed-rows.ts';
import type { SeenPhotos } from '../encoders/encoder.ts';
import { closeAll, startEngines } from '../encoders/pool.ts';
import { CourierError } from '../errors.ts';
import { silent, type WorkOptions } from '../progress.ts';
import { Random } from '../random.ts';
import { type Engine, floats, type Session } from '../runtime/engine.ts';
import { exists } from '../storage/files.ts';
import { withSharedLock } from '../storage/lock.ts';
import { floatTensor, readSafeTensors, type SafeTensor, writeSafeTensors } from '../storage/safetensors.ts';
import { type Projection, projectedWidth, projectionModel } from './projection.ts';

/** Photos whose features are computed, or read, between two looks at progress. */
const together = 256;

/** Photos that whitening is fitted on: so many determine some hundreds of components. */
const mostFitted = 4096;

/** A seed of its own: whitening is of the photos, not of a training. */
const seed = 1;

export interface WhitenedFeatures extends Projection {
  /** Of every photo of the dataset. (M, k') */
  readonly rows: Float32Array;
}

export interface FeatureWork {
  readonly backbone: Backbone;
  readonly photos: Photos;
  /** Photos that whitening may look at: those of the training period. */
  readonly fitted: Int32Array;
  readonly components: number;
  /** Components of each cell of taps that are grids; null for none. */
  readonly cellComponents: number | null;
  /** As `WhiteningOptions` has it. */
  readonly strength: number;
  /** Folder in which features are kept. */
  readonly folder: string;
  readonly engine: Engine;
}

/**
 * Computes what is not there yet, and whitens it.
 * @throws CourierError SPLIT_EMPTY without photos to fit on, OUTPUT_IN_USE by another host, OUTPUT_NOT_WRITABLE, FILE_CORRUPT
 */
export async function whitenedFeatures(
  work: FeatureWork,
  options: WorkOptions = {},
): Promise<WhitenedFeatures> {
  if (work.fitted.length === 0) throw nothingToFit();
  const folder = join(work.folder, work.backbone.hash.slice(0, 16));
  const hashes = await hashesOf(work.photos, options);
  const path = join(folder, `${keyOf(work, hashes)}.safetensors`);
  // It appears whole, so that whoever only reads it need not wait for those who write others.
  if (await exists(path)) return readWhitened(path, work);
  return withSharedLock(join(folder, '.lock'), folder, options, async () => {
    if (await exists(path)) return readWhitened(path, work);
    const kept = await FeatureRows.open(join(folder, 'features.f16'), work.backbone.width);
    try {
      await computeMissing(work, kept, hashes, options);
      const whitened = await whiten(work, kept, hashes, options);
      await writeWhitened(path, whitened);
      return whitened;
    } finally {
      await kept.close();
    }
  });
}

export interface KeptFeatures {
  /** Of every photo of the dataset, as 16-bit floats keep them. */
  readonly photos: SeenPhotos;
  close(): Promise<void>;
}

/**
 * Computes what is not there yet, and leaves it in its file, from which it is read a few photos at a time. The caller closes it.
 * @throws CourierError OUTPUT_IN_USE, OUTPUT_NOT_WRITABLE, VALUE_INVALID
 */
export async function keptFeatures(
  work: Pick<FeatureWork, 'backbone' | 'photos' | 'folder' | 'engine'>,
  options: WorkOptions = {},
): Promise<KeptFeatures> {
  const folder = join(work.folder, work.backbone.hash.slice(0, 16));
  const hashes = await hashesOf(work.photos, options);
  const kept = await withSharedLock(join(folder, '.lock'), folder, options, async () => {
    const rows = await FeatureRows.open(join(folder, 'features.f16'), work.backbone.width);
    try {
      await computeMissing(work, rows, hashes, options);
      return rows;
    } catch (error) {
      await rows.close();
      throw error;
    }
  });
  return {
    photos: {
      count: hashes.length,
      read: (rows, places) =>
        kept.readNow(
          Array.from(rows, (photo) => hashes[photo]!),
          places,
        ),
    },
    close: () => kept.close(),
  };
}

/** SHA-256 of the pixels of every photo. */
export async function hashesOf(photos: Photos, { signal }: WorkOptions = {}): Promise<readonly string[]> {
  const hashes: string[] = [];
  for (let from = 0; from < photos.count; from += together) {
    signal?.throwIfAborted();
    const rows = rowsBetween(from, Math.min(photos.count, from + together));
    const pixels = photos.read(rows);
    const bytes = pixels.length / rows.length;
    for (let place = 0; place < rows.length; place++) {
      const own = pixels.subarray(place * bytes, (place + 1) * bytes);
      hashes.push(createHash('sha256').update(own).digest('hex'));
    }
  }
  return hashes;
}

/** What rows of whitened features depend on, beside the backbone. */
function keyOf(
  { fitted, components, cellComponents, strength }: FeatureWork,
  hashes: readonly string[],
): string {
  const ofCells = cellComponents === null ? {} : { cellComponents };
  const hash = createHash('sha256').update(
    JSON.stringify({ components, ...ofCells, strength, seed, mostFitted }),
  );
  for (const photo of fittedOf(fitted)) hash.update(hashes[photo]!);
  hash.update('of');
  for (const photo of hashes) hash.update(photo);
  return `whitened-${hash.digest('hex').slice(0, 16)}`;
}

/**
 * Computes the features of photos that are not kept yet, and keeps them.
 * @param hashes of the photos, as `hashesOf` gives them
 */
export async function computeMissing(
  { backbone, photos, engine }: Pick<FeatureWork, 'backbone' | 'photos' | 'engine'>,
  kept: FeatureRows,
  hashes: readonly string[],
  { progress = silent, signal }: WorkOptions = {},
): Promise<void> {
  const missing: number[] = [];
  const seen = new Set<string>();
  for (const [photo, hash] of hashes.entries()) {
    if (kept.has(hash) || seen.has(hash)) continue;
    seen.add(hash);
    missing.push(photo);
  }
  if (missing.length === 0) return;
  const stage = 'Backbone';
  progress({ kind: 'start', stage, total: missing.length, unit: 'photos' });
  const pool = await FeaturePool.open(backbone, engine);
  try {
    for (let from = 0; from < missing.length; from += together) {
      signal?.throwIfAborted();
      const rows = Int32Array.from(missing.slice(from, from + together));
      const features = await embedRows(pool, photos, rows);
      await kept.add(
        Array.from(rows, (photo) => hashes[photo]!),
        features,
      );
      progress({ kind: 'advance', stage, done: from + rows.length });
    }
  } finally {
    await pool.close();
  }
  progress({ kind: 'end', stage });
}

async function whiten(
  { backbone, fitted, components, cellComponents, strength, engine }: FeatureWork,
  kept: FeatureRows,
  hashes: readonly string[],
  { progress = silent, signal }: WorkOptions,
): Promise<WhitenedFeatures> {
  const stage = 'Whiten';
  progress({ kind: 'start', stage, total: hashes.length, unit: 'photos' });
  const parts = backbone.taps.map(widthOf);
  const sample = await kept.read(Array.from(fittedOf(fitted), (photo) => hashes[photo]!));
  const random = Random.seeded(seed, 'whitening');
  const ofCells = { components: cellComponents ?? 0, strength };
  const { width, taps } = backbone;
  // Before the sample is whitened in place.
  const grids =
    cellComponents === null
      ? []
      : await fitGrids(sample, width, taps, ofCells, Random.seeded(seed, 'cells'), engine);
  const whitening = await fitWhitening(sample, { components, strength, parts }, random, engine);
  const projection = { whitening, grids };
  const session = await engine.load(projectionModel(width, projection));
  const length = projectedWidth(projection);
  const rows = new Float32Array(hashes.length * length);
  for (let from = 0; from < hashes.length; from += together) {
    signal?.throwIfAborted();
    const features = await kept.read(hashes.slice(from, from + together));
    const projected = await session.run({}, { features });
    rows.set(floats(projected, 'components'), from * length);
    progress({ kind: 'advance', stage, done: Math.min(hashes.length, from + together) });
  }
  await session.release();
  progress({
    kind: 'end',
    stage,
    detail: `${whitening.components} components of ${backbone.width} features`,
  });
  return { ...projection, rows };
}

function fittedOf(fitted: Int32Array): Int32Array {
  if (fitted.length <= mostFitted) return fitted;
  return Int32Array.from(
    { length: mostFitted },
    (_, place) => fitted[Math.floor((place * fitted.length) / mostFitted)]!,
  );
}

function rowsBetween(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to - from }, (_, place) => from + place);
}

async function writeWhitened(path: string, features: WhitenedFeatures): Promise<void> {
  const { whitening, grids, rows } = features;
  const { components, map, shift } = whitening;
  const width = projectedWidth(features);
  const ofGrids = grids.flatMap((grid, place): [string, SafeTensor][] => [
    [`grid${place}.map`, { shape: [grid.tap.channels, grid.components], data: grid.map }],
    [`grid${place}.shift`, { shape: [grid.shift.length], data: grid.shift }],
  ]);
  await writeSafeTensors(path, {
    metadata: {},
    tensors: new Map<string, SafeTensor>([
      ['map', { shape: [map.length / components, components], data: map }],
      ['shift', { shape: [components], data: shift }],
      ...ofGrids,
      ['rows', { shape: [rows.length / width, width], data: rows }],
    ]),
  });
}

async function readWhitened(
  path: string,
  { backbone, cellComponents }: FeatureWork,
): Promise<WhitenedFeatures> {
  const file = await readSafeTensors(path, 'Features');
  const of = (name: string) => floatTensor(file, name).data;
  const [map, shift, rows] = [of('map'), of('shift'), of('rows')];
  const ofGrids = cellComponents === null ? [] : backbone.taps.filter(({ layout }) => layout === 'grid');
  const grids = ofGrids.map((tap, place) => {
    const own = { map: of(`grid${place}.map`), shift: of(`grid${place}.shift`) };
    return { tap, components: own.map.length / tap.channels, ...own };
  });
  return { whitening: { components: shift.length, map, shift }, grids, rows };
}

/** A core each with photos of its own, as `EncoderPool` has it. */
class FeaturePool implements BatchEncoder {
  readonly dimension: number;
  readonly #engines: readonly Engine[];
  readonly #sessions: readonly Session[];
  #next = 0;

  private constructor(dimension: number, engines: readonly Engine[], sessions: readonly Session[]) {
    this.dimension = dimension;
    this.#engines = engines;
    this.#sessions = sessions;
  }

  static async open({ model, width }: Backbone, { device, threads }: Engine): Promise<FeaturePool> {
    const engines = startEngines(device, threads);
    try {
      return new FeaturePool(width, engines, await Promise.all(engines.map((engine) => engine.load(model))));
    } catch (error) {
      await closeAll(engines);
      throw error;
    }
  }

  get size(): number {
    return this.#sessions.length;
  }

  async embed(photos: Uint8Array | Float32Array): Promise<Float32Array> {
    const session = this.#sessions[this.#next++ % this.#sessions.length]!;
    return floats(await session.run({ photos }), 'features');
  }

  async close(): Promise<void> {
    await closeAll(this.#engines);
  }
}

function nothingToFit(): CourierError {
  return new CourierError(
    'SPLIT_EMPTY',
    'No item of the training period has a photo, so there is nothing to whiten features by.',
    'Check the image folder and the column that names the photos, or give the training period more data.',
  );
}
