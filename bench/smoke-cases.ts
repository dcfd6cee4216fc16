/** What `bench smoke` measures, a second or less at a time. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CentreSearch } from '../src/clustering/centre-search.ts';
import { kMeansDefaults } from '../src/clustering/k-means.ts';
import { sphericalKMeans } from '../src/clustering/spherical-k-means.ts';
import { usableCores } from '../src/cores.ts';
import { Findings } from '../src/data/findings.ts';
import { decodePhoto } from '../src/data/photos/decode-photo.ts';
import { decodePhotos } from '../src/data/photos/photos.ts';
import { exportUntrainedEncoder } from '../src/encoders/export.ts';
import { featureHead } from '../src/encoders/feature-head.ts';
import { createEncoder } from '../src/encoders/index.ts';
import { embed as embedCatalogue } from '../src/pipelines/embed/index.ts';
import { silent } from '../src/progress.ts';
import { Random } from '../src/random.ts';
import { Engine } from '../src/runtime/engine.ts';
import { startRanker } from './our-ranker.ts';
import { describeEncoder, noiseFeatures, startDescribed, startStep } from './our-step.ts';
import { drawPhotos } from './photos.ts';
import { rankLog } from './rank-log.ts';

/** What a speed is told in: what the machine does meanwhile of something that nobody changes. */
export type SmokeReference = 'GFLOP' | 'million turns' | 'GB copied';

interface Measured {
  /** Does it for a while. @returns units a second */
  speed(): Promise<number>;
  stop(): Promise<unknown>;
}

interface SmokeCase {
  readonly name: string;
  readonly unit: string;
  readonly reference: SmokeReference;
  /** @param folder of its own, and of the photos */
  start(folder: string): Promise<Measured>;
}

/** Photos that cases share, by the side of their files in pixels. */
const photoCounts = { 128: 600, 640: 100 } as const;
type FileSide = keyof typeof photoCounts;

/** Draws them, which takes longer than most cases. */
export async function drawSmokePhotos(folder: string): Promise<void> {
  await drawPhotos(photosOf(folder, 128), photoCounts[128], 128);
  await drawPhotos(photosOf(folder, 640), photoCounts[640], 640);
}

function photosOf(folder: string, fileSide: FileSide): string {
  return join(folder, `${fileSide} px`);
}

function filesOf(folder: string, fileSide: FileSide): readonly string[] {
  return Array.from({ length: photoCounts[fileSide] }, (_, photo) =>
    join(photosOf(folder, fileSide), `${photo}.jpg`),
  );
}

const side = 64;

export const smokeCases: readonly SmokeCase[] = [
  { name: 'training step', unit: 'photos', reference: 'GFLOP', start: trainingStep },
  { name: 'loss step', unit: 'steps', reference: 'GFLOP', start: lossStep },
  {
    name: 'embedding, 128 px',
    unit: 'photos',
    reference: 'GFLOP',
    start: (folder) => embedding(folder, 128),
  },
  {
    name: 'embedding, 640 px',
    unit: 'photos',
    reference: 'GFLOP',
    start: (folder) => embedding(folder, 640),
  },
  {
    name: 'decode, 128 px',
    unit: 'photos',
    reference: 'million turns',
    start: (folder) => decoding(folder, 128),
  },
  {
    name: 'decode, 640 px',
    unit: 'photos',
    reference: 'million turns',
    start: (folder) => decoding(folder, 640),
  },
  { name: 'loader', unit: 'photos', reference: 'million turns', start: loading },
  { name: 'DIN step', unit: 'steps', reference: 'GFLOP', start: din },
  { name: 'k-means', unit: 'times', reference: 'GB copied', start: kMeans },
];

/** Units a second of some work. */
async function speedOf(units: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (1000 * units) / (performance.now() - start);
}

async function trainingStep(): Promise<Measured> {
  const photos = 256;
  const step = { encoder: 'vit-nano', side, photos, samples: 32, threads: usableCores() } as const;
  const { round, stop } = await startStep(step, { chunk: 32, group: 8 });
  return { speed: async () => photos / (await round()), stop };
}

/** A head on features: most of such a step is the loss. */
async function lossStep(): Promise<Measured> {
  const [samples, photos, components, dimension] = [384, 2253, 128, 128];
  const head = featureHead({
    head: { name: 'both', hidden: 128, dropout: 0 },
    components,
    grids: [],
    dimension,
  });
  const description = describeEncoder(head, photos, samples);
  const plan = { chunk: photos, group: 1 };
  const { round, stop } = await startDescribed(description, usableCores(), plan, noiseFeatures(components));
  return { speed: async () => 1 / (await round()), stop };
}

async function embedding(folder: string, fileSide: FileSide): Promise<Measured> {
  const path = join(folder, 'encoder.onnx');
  const encoder = createEncoder({ name: 'vit-nano', side, head: 'mean', dimension: 128 });
  await writeFile(path, exportUntrainedEncoder(encoder, Random.seeded(1, 'bench')).encode('standard'));
  const settings = { photos: photosOf(folder, fileSide), encoder: path };
  let round = 0;
  const out = () => join(folder, `${fileSide}-${round++}.parquet`);
  return {
    speed: () => speedOf(photoCounts[fileSide], () => embedCatalogue({ ...settings, out: out() })),
    stop: nothing,
  };
}

async function decoding(folder: string, fileSide: FileSide): Promise<Measured> {
  const files = await Promise.all(filesOf(folder, fileSide).map((path) => readFile(path)));
  const speed = () =>
    speedOf(files.length, async () => {
      for (const file of files) await decodePhoto(file, side);
    });
  return { speed, stop: nothing };
}

async function loading(folder: string): Promise<Measured> {
  const inputs = filesOf(folder, 128).map((path) => ({ kind: 'file', path }) as const);
  const place = { path: join(folder, 'images.bin'), side, form: 'pixels' } as const;
  const before = { count: 0, index: null };
  const speed = () =>
    speedOf(inputs.length, () => decodePhotos(inputs, { ...place, before }, new Findings()));
  return { speed, stop: nothing };
}

async function nothing(): Promise<void> {}

async function din(): Promise<Measured> {
  const [rows, steps] = [40_000, 20];
  const data = rankLog({ users: 2000, items: 5000, rows });
  const engine = Engine.start();
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  const ranker = await startRanker(data, all, 1, engine);
  return { speed: async () => steps / (await ranker.train(steps)), stop: () => engine.close() };
}

async function kMeans(): Promise<Measured> {
  const [count, dimension, clusters] = [20_000, 64, 200];
  const random = Random.seeded(1, 'bench embeddings');
  const vectors = Float32Array.from({ length: count * dimension }, () => random.normal());
  for (let row = 0; row < count; row++) {
    const own = vectors.subarray(row * dimension, (row + 1) * dimension);
    const length = Math.hypot(...own);
    for (let at = 0; at < dimension; at++) own[at]! /= length;
  }
  const ids = Array.from({ length: count }, (_, row) => String(row));
  const search = await CentreSearch.open(dimension);
  const options = { ...kMeansDefaults, clusters, iterations: 2 };
  const embeddings = { ids, dimension, vectors };
  return {
    speed: () =>
      speedOf(1, () => sphericalKMeans(embeddings, options, search, Random.seeded(1, 'bench'), silent)),
    stop: () => search.close(),
  };
}
