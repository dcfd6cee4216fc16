/** What `bench smoke` measures, a second or less at a time. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CentreSearch } from '../src/clustering/centre-search.ts';
import { kMeansDefaults } from '../src/clustering/k-means.ts';
import { sphericalKMeans } from '../src/clustering/spherical-k-means.ts';
import { usableCores } from '../src/cores.ts';
import { decodePhoto } from '../src/data/decode-photo.ts';
import { Findings } from '../src/data/findings.ts';
import { decodePhotos } from '../src/data/photos.ts';
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
  start(): Promise<Measured>;
}

const side = 64;

export const smokeCases: readonly SmokeCase[] = [
  { name: 'training step', unit: 'photos', reference: 'GFLOP', start: trainingStep },
  { name: 'loss step', unit: 'steps', reference: 'GFLOP', start: lossStep },
  { name: 'embedding, 128 px', unit: 'photos', reference: 'GFLOP', start: () => embedding(128, 400) },
  { name: 'embedding, 640 px', unit: 'photos', reference: 'GFLOP', start: () => embedding(640, 140) },
  { name: 'decode, 128 px', unit: 'photos', reference: 'million turns', start: () => decoding(128, 300) },
  { name: 'decode, 640 px', unit: 'photos', reference: 'million turns', start: () => decoding(640, 60) },
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

async function withFolder(work: (folder: string) => Promise<Measured['speed']>): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const stop = () => rm(folder, { recursive: true, force: true });
  try {
    return { speed: await work(folder), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function embedding(fileSide: number, count: number): Promise<Measured> {
  return withFolder(async (folder) => {
    const [photos, path] = [join(folder, 'photos'), join(folder, 'encoder.onnx')];
    await drawPhotos(photos, count, fileSide);
    const encoder = createEncoder({ name: 'vit-nano', side, head: 'mean', dimension: 128 });
    await writeFile(path, exportUntrainedEncoder(encoder, Random.seeded(1, 'bench')).encode('standard'));
    let round = 0;
    return () =>
      speedOf(count, () =>
        embedCatalogue({ photos, encoder: path, out: join(folder, `${round++}.parquet`) }),
      );
  });
}

function decoding(fileSide: number, count: number): Promise<Measured> {
  return withFolder(async (folder) => {
    const photos = join(folder, 'photos');
    await drawPhotos(photos, count, fileSide);
    const files: Buffer[] = [];
    for (let photo = 0; photo < count; photo++) files.push(await readFile(join(photos, `${photo}.jpg`)));
    return () =>
      speedOf(count, async () => {
        for (const file of files) await decodePhoto(file, side);
      });
  });
}

function loading(): Promise<Measured> {
  const count = 1500;
  return withFolder(async (folder) => {
    const photos = join(folder, 'photos');
    await drawPhotos(photos, count, 128);
    const inputs = Array.from({ length: count }, (_, photo) => {
      return { kind: 'file', path: join(photos, `${photo}.jpg`) } as const;
    });
    const place = { path: join(folder, 'images.bin'), side, form: 'pixels' } as const;
    const before = { count: 0, index: null };
    return () => speedOf(count, () => decodePhotos(inputs, { ...place, before }, new Findings()));
  });
}

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
