/**
 * Embeddings to cluster ids, against faiss, which gets the same vectors and goes first: how long it takes, ours until
 * the inertia over all vectors is as low as that of faiss. What both reached is told, too.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { CentreSearch } from '../src/clustering/centre-search.ts';
import { kMeansDefaults } from '../src/clustering/k-means.ts';
import { sphericalKMeans } from '../src/clustering/spherical-k-means.ts';
import type { StoredEmbeddings } from '../src/data/embeddings/embeddings.ts';
import { silent } from '../src/progress.ts';
import { Random } from '../src/random.ts';
import type { Benchmark } from './benchmark.ts';
import { Peer } from './peer.ts';
import { describeRow, type Rounds, type Row, rowOf } from './report.ts';

interface Case {
  readonly vectors: number;
  readonly dimension: number;
  readonly clusters: number;
  /** Whether faiss trains on all vectors; by default it draws 256 for each centre. */
  readonly whole: boolean;
}

const cases: readonly Case[] = [
  { vectors: 100_000, dimension: 128, clusters: 1000, whole: true },
  { vectors: 1_000_000, dimension: 256, clusters: 1000, whole: false },
  { vectors: 1_000_000, dimension: 256, clusters: 1000, whole: true },
];

/** Vectors come from so many Gaussians for each cluster asked for: none of the clusters is there to be found. */
const gaussiansPerCluster = 3;
/** Length of what is added to the middle of a Gaussian, whose length is 1. */
const spread = 0.8;

const answerSchema = z.object({
  seconds: z.number().positive(),
  training: z.number().positive(),
  inertia: z.number().positive(),
});

export const kMeans: Benchmark = async ({ rounds, only, say }) => {
  const rows: Row[] = [];
  const missing = new Set<string>();
  for (const each of cases) {
    const title = titleOf(each);
    if (!title.includes(only)) continue;
    say(title);
    const result = await clusterOne(each, rounds, say);
    for (const { unit, ours, peers } of result.measures) {
      rows.push(rowOf(title, unit, 'lower', ours, peers));
      say(describeRow(rows.at(-1)!));
    }
    if (result.missing) missing.add('faiss');
  }
  return { rows, missing: [...missing] };
};

function titleOf({ vectors, dimension, clusters, whole }: Case): string {
  const count = (value: number) => value.toLocaleString('en-US');
  const trained = whole ? 'faiss on all' : 'faiss on its default sample';
  return `${count(vectors)} × ${dimension} into ${count(clusters)}, ${trained}`;
}

/** What both sides took and reached, a number a round. Each run takes so long that warming up makes no difference. */
async function clusterOne(each: Case, rounds: number, say: (text: string) => void) {
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const { dimension, clusters, whole } = each;
  const search = await CentreSearch.open(dimension);
  try {
    const embeddings = drawEmbeddings(each);
    const file = join(folder, 'vectors.f32');
    await writeVectors(file, embeddings.vectors);
    const settings = { file, dimension, clusters, whole, threads: availableParallelism() };
    const peer = await Peer.start('faiss', 'kmeans.py', settings);
    const ours: { seconds: number; inertia: number }[] = [];
    const theirs: z.infer<typeof answerSchema>[] = [];
    for (let round = 0; round < rounds; round++) {
      const answer = await peer?.answer(answerSchema);
      const until = answer === undefined ? {} : { goal: answer.inertia, tolerance: 0 };
      const options = { ...kMeansDefaults, clusters, ...until };
      const start = performance.now();
      const random = Random.seeded(round + 1, 'bench');
      const { inertia } = await sphericalKMeans(embeddings, options, search, random, silent);
      ours.push({ seconds: (performance.now() - start) / 1000, inertia });
      if (answer !== undefined) theirs.push(answer);
      say(`  round ${round + 1}: ${JSON.stringify({ ours: ours.at(-1), faiss: theirs.at(-1) })}`);
    }
    peer?.stop();
    return { measures: measuresOf(ours, theirs), missing: peer === null };
  } finally {
    await search.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function measuresOf(
  ours: readonly { seconds: number; inertia: number }[],
  theirs: readonly z.infer<typeof answerSchema>[],
): readonly { unit: string; ours: readonly number[]; peers: Rounds }[] {
  const of = (key: keyof z.infer<typeof answerSchema>) => theirs.map((answer) => answer[key]);
  const present = theirs.length > 0;
  const none: Rounds = {};
  return [
    {
      unit: 's',
      ours: ours.map(({ seconds }) => seconds),
      peers: present ? { faiss: of('seconds'), 'faiss, without ids': of('training') } : none,
    },
    {
      unit: 'inertia',
      ours: ours.map(({ inertia }) => inertia),
      peers: present ? { faiss: of('inertia') } : none,
    },
  ];
}

/** A mixture of Gaussians, each vector brought to length 1. */
function drawEmbeddings({ vectors: count, dimension, clusters }: Case): StoredEmbeddings {
  const random = Random.seeded(1, 'bench embeddings');
  const draw = () => random.normal() / Math.sqrt(dimension);
  const gaussians = gaussiansPerCluster * clusters;
  const middles = Float32Array.from({ length: gaussians * dimension }, draw);
  const vectors = new Float32Array(count * dimension);
  for (let row = 0; row < count; row++) {
    const middle = random.integer(gaussians) * dimension;
    let squared = 0;
    for (let i = 0; i < dimension; i++) {
      const value = middles[middle + i]! + spread * draw();
      vectors[row * dimension + i] = value;
      squared += value * value;
    }
    const scale = 1 / Math.sqrt(squared);
    for (let i = row * dimension; i < (row + 1) * dimension; i++) vectors[i]! *= scale;
  }
  return { ids: Array.from({ length: count }, (_, row) => String(row)), dimension, vectors };
}

async function writeVectors(path: string, vectors: Float32Array): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength));
  } finally {
    await file.close();
  }
}
