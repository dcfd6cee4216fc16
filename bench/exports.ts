/**
 * What we export, in programs of others: an encoder in ONNX Runtime 1.17, and embeddings in vector stores, which have to find
 * the neighbours that exact cosines give. `--data` names a folder with a pretrained `model.onnx`, which is then exported with a head.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { mergeHead, openBackbone } from '../src/backbones/backbone.ts';
import { matrixFiles, writeEmbeddingMatrix } from '../src/data/embeddings/embedding-matrix.ts';
import { vectorsOf, writeTracedEmbeddings } from '../src/data/embeddings/embeddings.ts';
import { batchSize } from '../src/encoders/embed-rows.ts';
import { exportUntrainedEncoder } from '../src/encoders/export.ts';
import { createEncoder } from '../src/encoders/index.ts';
import { ExportedEncoder } from '../src/encoders/load.ts';
import { buildModel } from '../src/graph/onnx.ts';
import { l2Normalize, project } from '../src/graph/operators/index.ts';
import { constant, input, openLength } from '../src/graph/tensor.ts';
import { Random } from '../src/random.ts';
import { Engine } from '../src/runtime/engine.ts';
import type { Benchmark } from './benchmark.ts';
import { Peer } from './peer.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const [items, dimension] = [10_000, 64];
const [queries, nearest] = [100, 10];

const stores = ['faiss', 'usearch', 'hnswlib', 'qdrant', 'milvus', 'pgvector'] as const;

const encoderName = 'vit-nano';
/** How far an embedding in another runtime may be from ours. */
const tolerance = 1e-4;

const encoderAnswer = z.object({
  seconds: z.number().positive(),
  version: z.string(),
  difference: z.number(),
});
const storeAnswer = z.object({
  seconds: z.number().positive(),
  loaded: z.number(),
  nearest: z.array(z.array(z.string())),
});

export const exportsBench: Benchmark = async ({ only, data, say }) => {
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const rows: Row[] = [];
  const missing: string[] = [];
  const add = (name: string, row: Row | null) => {
    if (row === null) missing.push(name);
    else rows.push(row);
    if (row !== null) say(describeRow(row));
  };
  try {
    if ('onnxruntime 1.17'.includes(only)) {
      const cases = data === null ? [tinyCase()] : [tinyCase(), await backboneCase(data)];
      for (const each of cases) add('onnxruntime 1.17', await inOldRuntime(folder, each));
    }
    const wanted = stores.filter((store) => store.includes(only));
    const files = wanted.length === 0 ? null : await writeCatalogue(folder);
    for (const store of wanted) if (files !== null) add(store, await inStore(store, files, say));
    return { rows, missing };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

interface OldRuntimeCase {
  readonly name: string;
  readonly model: Uint8Array;
  /** Of its photos, in pixels. */
  readonly side: number;
  readonly photos: number;
}

function tinyCase(): OldRuntimeCase {
  const built = createEncoder({ name: encoderName, side: 64, head: 'mean', dimension });
  const model = exportUntrainedEncoder(built, Random.seeded(1, 'bench')).encode('standard');
  return { name: encoderName, model, side: 64, photos: 32 };
}

/** The network of `model.onnx` with a head of random numbers: what a trained one goes through, too. */
async function backboneCase(data: string): Promise<OldRuntimeCase> {
  const side = 128;
  const backbone = await openBackbone({ file: join(data, 'model.onnx') }, side);
  const random = Random.seeded(1, 'head');
  const features = input('features', 'float32', [openLength, backbone.width]);
  const weights = Float32Array.from(
    { length: dimension * backbone.width },
    () => random.normal() / Math.sqrt(backbone.width),
  );
  const embeddings = l2Normalize(
    project(features, constant('float32', weights, [dimension, backbone.width])),
  );
  const head = buildModel({
    outputs: { embeddings },
    openAxes: { features: 'photos', embeddings: 'photos' },
  });
  return { name: 'backbone with a head', model: mergeHead(backbone, head, {}), side, photos: 1000 };
}

/** @returns null where the runtime is not installed */
async function inOldRuntime(folder: string, each: OldRuntimeCase): Promise<Row | null> {
  const { name, model, side, photos } = each;
  const [encoder, pixels, ours] = ['encoder.onnx', 'photos.bin', 'ours.bin'].map((file) =>
    join(folder, file),
  );
  await writeFile(encoder!, model);
  const random = Random.seeded(1, 'photos');
  const bytes = side * side * 3;
  const all = Uint8Array.from({ length: photos * bytes }, () => random.integer(256));
  await writeFile(pixels!, all);
  const engine = Engine.start();
  const embedded = await ExportedEncoder.open(encoder!, side, engine);
  const vectors = new Float32Array(photos * dimension);
  for (let from = 0; from < photos; from += batchSize)
    vectors.set(await embedded.embed(all.slice(from * bytes, (from + batchSize) * bytes)), from * dimension);
  await writeFile(ours!, vectors);
  await engine.close();
  const settings = { encoder, photos: pixels, ours, side };
  const peer = await Peer.start('onnxruntime 1.17', 'onnxruntime_encoder.py', settings);
  if (peer === null) return null;
  const { version, difference } = await peer.answer(encoderAnswer);
  peer.stop();
  if (!(difference <= tolerance))
    throw new Error(`embeddings of ONNX Runtime ${version} differ by ${difference}`);
  const title = `${name} in ONNX Runtime ${version}, ${photos} photos`;
  return rowOf(title, 'largest difference', 'lower', [difference], {});
}

interface CatalogueFiles {
  readonly parquet: string;
  readonly npy: string;
  readonly ids: string;
  /** The true neighbours of each query. */
  readonly truth: readonly (readonly string[])[];
}

async function writeCatalogue(folder: string): Promise<CatalogueFiles> {
  const random = Random.seeded(1, 'bench embeddings');
  const ids = Array.from({ length: items }, (_, row) => `item-${row}`);
  const vectors = Float32Array.from({ length: items * dimension }, () => random.normal());
  for (let row = 0; row < items; row++) {
    const vector = vectors.subarray(row * dimension, (row + 1) * dimension);
    const length = Math.hypot(...vector);
    for (let i = 0; i < dimension; i++) vector[i]! /= length;
  }
  const stored = { ids, dimension, vectors };
  const origin = { encoder: 'bench', precision: 'float32', model: 'bench' };
  const provenance = { origin, learnedUntil: null, photosOf: null };
  const traced = { ids, vectors: vectorsOf(stored), hashes: ids.map(() => '0'.repeat(64)), provenance };
  const parquet = join(folder, 'embeddings.parquet');
  const files = matrixFiles(parquet);
  await writeTracedEmbeddings(parquet, traced);
  await writeEmbeddingMatrix(files, traced);
  const truth = Array.from({ length: queries }, (_, query) => neighboursOf(query, vectors, ids));
  return { parquet, npy: files.vectors, ids: files.ids, truth };
}

/** The items of the largest cosines to one, itself among them. */
function neighboursOf(query: number, vectors: Float32Array, ids: readonly string[]): readonly string[] {
  const cosine = (row: number) => {
    let sum = 0;
    for (let i = 0; i < dimension; i++)
      sum += vectors[query * dimension + i]! * vectors[row * dimension + i]!;
    return sum;
  };
  const ranked = ids.map((id, row) => ({ id, cosine: cosine(row) })).sort((a, b) => b.cosine - a.cosine);
  return ranked.slice(0, nearest).map(({ id }) => id);
}

/** @returns null where the store is not installed */
async function inStore(
  store: (typeof stores)[number],
  { truth, ...files }: CatalogueFiles,
  say: (text: string) => void,
): Promise<Row | null> {
  const script = store === 'pgvector' ? 'pgvector.mjs' : 'vector_stores.py';
  const settings = {
    ...files,
    store,
    nearest,
    queries: Array.from({ length: queries }, (_, query) => query),
  };
  const peer = await Peer.start(store, script, settings);
  if (peer === null) return null;
  const { seconds, loaded, nearest: found } = await peer.answer(storeAnswer);
  peer.stop();
  if (loaded !== items) throw new Error(`${store} holds ${loaded} of ${items} vectors`);
  const known = truth.map((ids, query) => ids.filter((id) => found[query]?.includes(id)).length);
  const share = known.reduce((sum, count) => sum + count, 0) / (queries * nearest);
  say(
    `${store}: loaded ${loaded} vectors; of the ${nearest} nearest of ${queries}, ${(100 * share).toFixed(1)} % are exact, in ${seconds.toFixed(1)} s`,
  );
  return rowOf(
    `${store}, ${items.toLocaleString('en-US')} × ${dimension}`,
    'of the exact neighbours',
    'higher',
    [share],
    {},
  );
}
