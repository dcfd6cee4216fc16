/** Small rankers that any number of processes can train together, and what comes out of each. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessGroup } from '../../src/collectives/process-group.ts';
import { createFeature, featureSet } from '../../src/features/index.ts';
import { silent } from '../../src/progress.ts';
import { type RankerConfigInput, rankerConfig } from '../../src/rankers/config.ts';
import { rowsOfSplit } from '../../src/rankers/fields.ts';
import type { RankerState } from '../../src/rankers/model.ts';
import { gatherRanker } from '../../src/rankers/shared-state.ts';
import { encodeState } from '../../src/rankers/state-file.ts';
import { type TrainedRanker, trainRanker } from '../../src/rankers/train.ts';
import type { Engine } from '../../src/runtime/engine.ts';
import { writeSafeTensors } from '../../src/storage/safetensors.ts';
import { itemCodes, tinyLog } from './tiny-log.ts';

const { data, embeddings } = tinyLog();
const inputs = { embeddings, clusters: [itemCodes('cluster_6', 6, data)], semanticIds: [] };
const rows = rowsOfSplit(data, 'train');

/** 15 steps a pass, the last one of 100 exposures, and a look at the validation split after each. */
const small = {
  minimumCount: 2,
  batchSize: 250,
  embeddingDimension: 5,
  hiddenWidths: [16],
  attentionWidth: 8,
  evaluationsPerEpoch: 15,
} satisfies RankerConfigInput;

interface SmallTraining {
  readonly features: string;
  readonly options: RankerConfigInput;
  readonly course: 'passes' | 'once';
  readonly warm: boolean;
}

/** Names of trainings, and what they are. */
export const smallTrainings: Readonly<Record<string, SmallTraining>> = {
  'DIN with photos and Adagrad, stopped early': {
    features: 'sim-score',
    options: { epochs: 3, patience: 3, learningRate: 0.005 },
    course: 'passes',
    warm: false,
  },
  'DeepFM without photos, with Adam and a penalty': {
    features: 'none',
    options: { ranker: 'deepfm', tableOptimizer: 'adam', tableDecay: 1e-4, epochs: 2, patience: 30 },
    course: 'passes',
    warm: false,
  },
  'DCN v2 that goes on from another with clusters, once in the order of time, ids in buckets': {
    features: 'cluster-id',
    options: { ranker: 'dcnv2', tableOptimizer: 'adam', idBuckets: 40, batchSize: 77 },
    course: 'once',
    warm: true,
  },
};

interface How {
  readonly checkpoint?: string;
  /** Stops it when it is asked for the nth time. */
  readonly stopAt?: number;
}

/** Trains one; the first process has all rows of the state. */
export async function trainSmall(
  name: string,
  group: ProcessGroup,
  engine: Engine,
  { checkpoint, stopAt = Number.POSITIVE_INFINITY }: How = {},
): Promise<Pick<TrainedRanker, 'result' | 'state'>> {
  const { features, options, course, warm } = smallTrainings[name]!;
  let asked = 0;
  const signal = {
    get aborted() {
      return ++asked >= stopAt;
    },
  };
  const train = async (set: string, base: RankerState | null, how: 'passes' | 'once') => {
    const feature = set === 'none' ? null : createFeature(featureSet(set), data, inputs);
    const config = rankerConfig.parse({ ...small, ...options });
    const place = checkpoint === undefined || how !== course ? null : { path: checkpoint, seconds: 1e9 };
    const plain = { dataset: data, rows, feature, config, seed: 1, engine, progress: silent };
    const trained = await trainRanker({ ...plain, base, course: how, signal, checkpoint: place, group });
    await trained.model.release();
    return trained;
  };
  const base = warm ? (await train('none', null, 'passes')).state : null;
  const { result, state } = await train(features, base, course);
  return { result, state: await gatherRanker(group, state) };
}

/** Where the outcome of a training is written. */
export function filesOf(folder: string, name: string) {
  const stem = join(folder, name.replaceAll(/\W+/g, '-'));
  return { result: `${stem}.json`, state: `${stem}.safetensors` };
}

export async function writeOutcome(
  folder: string,
  name: string,
  { result, state }: Pick<TrainedRanker, 'result' | 'state'>,
): Promise<void> {
  const files = filesOf(folder, name);
  await writeFile(files.result, JSON.stringify({ ...result, testScores: [...result.testScores] }));
  await writeSafeTensors(files.state, encodeState('state', state));
}
