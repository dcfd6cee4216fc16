/**
 * CLIP (Radford et al., ICML 2021): photos and titles of the same items are to find each other. The text tower is a
 * small one, trained from scratch on the catalogue's own titles: the mean of word embeddings through a perceptron.
 *
 * Letters in shapes: S photos and their titles, U rows of the batch, T words, d the length of an embedding.
 */
import { z } from 'zod';
import type { Dataset } from '../data/dataset.ts';
import { type PhotoBatch, PhotoSampler } from '../data/samplers/photo-sampler.ts';
import { trainingPhotos } from '../data/samplers/training-photos.ts';
import { add, gather, l2Normalize, matmul, multiply, reshape } from '../graph/operators/index.ts';
import { normal } from '../graph/parameters.ts';
import { type FloatTensor, input, parameter, scalar, type Tensor } from '../graph/tensor.ts';
import { inBlocks } from './batch-feeds.ts';
import { infoNce } from './info-nce.ts';
import { type LessonConfig, objectiveNameMeaning } from './lesson-config.ts';
import type { Lesson, Objective } from './objective.ts';
import { createPerceptron } from './projector.ts';
import { excluded } from './reconstruction.ts';
import { longestTitle, type PhotoTitles, titlesOf } from './titles.ts';

export const clipSettings = z.strictObject({
  name: z.literal('clip').describe(objectiveNameMeaning),
  temperature: z.number().positive().max(10).default(0.1).describe('Temperature τ of the loss.'),
  wordWidth: z.int().min(4).max(1024).default(128).describe('Length of the word embeddings.'),
});

export type ClipConfig = Omit<z.output<typeof clipSettings>, 'name'>;

export function clipLesson(
  objective: ClipConfig,
  config: LessonConfig,
  dataset: Dataset,
): Lesson<PhotoBatch> {
  const titles = titlesOf(dataset.catalogue, trainingPhotos(dataset));
  const titled = Int32Array.from(titles.byPhoto.keys());
  const sampler = new PhotoSampler(titled, { ...config, views: 1 });
  return {
    objective: clipObjective(objective, titles, config.prefixes),
    sampler,
    samples: 'photos with a title',
    photos: sampler.batchSize,
    comparesViews: false,
    memory: null,
    retrieval: null,
    exports: () => ({}),
  };
}

/** @param prefixes lengths of photos' and titles' embeddings of which the loss is taken, too */
export function clipObjective(
  { wordWidth, temperature }: ClipConfig,
  titles: PhotoTitles,
  prefixes: readonly number[] = [],
): Objective<PhotoBatch> {
  return {
    loss(embeddings, samples) {
      const [rows = 0, dimension = 0] = embeddings.shape;
      const text = textTower(titles.words, wordWidth, rows, dimension);
      const loss = clipLoss(embeddings, text, clipInputs(samples, rows), temperature, prefixes);
      return { loss, parts: {} };
    },
    feeds({ photos }, rows) {
      const { length } = photos;
      const own = Int32Array.from(photos, (photo) => titles.identityOf.get(photo)!);
      const shown = new Int32Array(rows);
      shown.set(own);
      const perSample = {
        own,
        rows: Int32Array.from({ length }, (_, row) => row),
        weights: new Float32Array(length).fill(1 / length),
      };
      const logCounts = new Float32Array(rows).fill(excluded, length);
      return inBlocks(length, perSample, { shown, logCounts, ...textFeeds(photos, rows, titles) });
    },
    perPhoto: ['shown', 'logCounts', 'words', 'wordWeights'],
    lengths: 1 + prefixes.length,
  };
}

/** The words of each photo's title and their shares in it. (rows, T) each */
function textFeeds(photos: Int32Array, rows: number, titles: PhotoTitles) {
  const words = new Int32Array(rows * longestTitle);
  const wordWeights = new Float32Array(rows * longestTitle);
  for (const [row, photo] of photos.entries()) {
    const own = titles.byPhoto.get(photo)!;
    const from = row * longestTitle;
    words.set(own, from);
    wordWeights.fill(1 / own.length, from, from + own.length);
  }
  return { words, wordWeights };
}

/** Embeddings of the titles of a batch, from inputs `words` and `wordWeights`. (U, d) */
function textTower(count: number, width: number, rows: number, dimension: number): FloatTensor {
  const table = parameter('text.words.weight', [count, width], normal(1));
  const words = gather(table, input('words', 'int32', [rows, longestTitle])); // (U, T, w)
  const weights = input('wordWeights', 'float32', [rows, longestTitle]);
  const mean = matmul(reshape(weights, [rows, 1, longestTitle]), words); // (U, 1, w)
  return createPerceptron('text', width, 2 * width, dimension)(reshape(mean, [rows, width]));
}

export interface ClipInputs {
  /** The row of each sample's photo and title. (S) */
  readonly rows: Tensor<'int32'>;
  /** The number of its title. (S) */
  readonly own: Tensor<'int32'>;
  /** Shares in the loss, which sum to 1 over the batch. (S, 1) */
  readonly weights: FloatTensor;
  /** The number of each row's title. (U, 1) */
  readonly shown: Tensor<'int32'>;
  /** 0 for a row with a photo, `excluded` for padding. (U, 1) */
  readonly logCounts: FloatTensor;
}

export function clipInputs(samples: number, rows: number): ClipInputs {
  return {
    rows: input('rows', 'int32', [samples]),
    own: input('own', 'int32', [samples]),
    weights: input('weights', 'float32', [samples, 1]),
    shown: input('shown', 'int32', [rows, 1]),
    logCounts: input('logCounts', 'float32', [rows, 1]),
  };
}

/**
 * The mean of both directions: each photo must find its title among all, and each title its photo. Photos with the
 * same title do not compete with each other.
 * @param photos (U, d)
 * @param texts (U, d)
 */
export function clipLoss(
  photos: FloatTensor,
  texts: FloatTensor,
  { rows, own, weights, shown, logCounts }: ClipInputs,
  temperature: number,
  prefixes: readonly number[] = [],
): FloatTensor {
  const find = (from: FloatTensor, among: FloatTensor) =>
    infoNce({
      anchors: gather(from, rows),
      positives: gather(among, rows),
      keys: among,
      own,
      identities: shown,
      logCounts,
      weights,
      temperature,
      prefixes,
    });
  const [seen, read] = [l2Normalize(photos), l2Normalize(texts)];
  return multiply(add(find(seen, read), find(read, seen)), scalar(0.5));
}
