/** Supervised classification: from its embedding, a linear classifier must say which category a photo's item is of. */
import { z } from 'zod';
import { type CategoricalColumn, type Dataset, NONE } from '../data/dataset.ts';
import { type PhotoBatch, PhotoSampler } from '../data/samplers/photo-sampler.ts';
import { trainingPhotos } from '../data/samplers/training-photos.ts';
import { CourierError } from '../errors.ts';
import { affine } from '../graph/layers.ts';
import {
  equal,
  gather,
  logSumExp,
  multiply,
  reshape,
  subtract,
  sum,
  sumAll,
} from '../graph/operators/index.ts';
import { constant, type FloatTensor, input, scalar } from '../graph/tensor.ts';
import { inBlocks } from './batch-feeds.ts';
import { type LessonConfig, objectiveNameMeaning } from './lesson-config.ts';
import type { Lesson, Objective } from './objective.ts';

export const supervisedSettings = z.strictObject({
  name: z.literal('supervised').describe(objectiveNameMeaning),
  category: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Category column of the catalogue; null takes the first one that tells training photos apart.'),
});

export type SupervisedConfig = Omit<z.output<typeof supervisedSettings>, 'name'>;

/** The class of each photo whose category is known. */
export interface PhotoClasses {
  readonly classes: number;
  readonly byPhoto: ReadonlyMap<number, number>;
}

/** @throws CourierError CONFIG_INVALID where the catalogue has no such category */
export function supervisedLesson(
  { category }: SupervisedConfig,
  config: LessonConfig,
  dataset: Dataset,
): Lesson<PhotoBatch> {
  const photos = trainingPhotos(dataset);
  const classified = dataset.catalogue.categories
    .filter(({ name }) => category === null || name === category)
    .map((column) => ({ name: column.name, ...classesOf(column, dataset.catalogue.photo, photos) }))
    .find(({ classes }) => classes >= 2);
  if (classified === undefined) throw noCategory(category, dataset);
  const sampler = new PhotoSampler(Int32Array.from(classified.byPhoto.keys()), { ...config, views: 1 });
  return {
    objective: supervisedObjective(classified),
    sampler,
    samples: `photos with a known ${classified.name}`,
    photos: sampler.batchSize,
    comparesViews: false,
    memory: null,
    retrieval: null,
    exports: () => ({}),
  };
}

export function supervisedObjective({ classes, byPhoto }: PhotoClasses): Objective<PhotoBatch> {
  return {
    loss(embeddings, samples) {
      const rows = gather(embeddings, input('rows', 'int32', [samples])); // (S, d)
      // Entries of unit vectors have size 1/√d: scaled up, logits start near 1.
      const scaled = multiply(rows, scalar(Math.sqrt(embeddings.shape[1]!)));
      const logits = affine('classifier', scaled, classes); // (S, K)
      return { loss: crossEntropy(logits), parts: {} };
    },
    feeds({ photos }, _rows) {
      const { length } = photos;
      const perSample = {
        rows: Int32Array.from({ length }, (_, row) => row),
        labels: Int32Array.from(photos, (photo) => byPhoto.get(photo)!),
        weights: new Float32Array(length).fill(1 / length),
      };
      return inBlocks(length, perSample, {});
    },
    perPhoto: [],
    lengths: 1,
  };
}

/** −Σ w log softmax(logits)[label], with inputs `labels` (S) and `weights` (S, 1). */
function crossEntropy(logits: FloatTensor): FloatTensor {
  const [samples = 0, classes = 0] = logits.shape;
  const labels = reshape(input('labels', 'int32', [samples]), [samples, 1]);
  const numbers = constant(
    'int32',
    Int32Array.from({ length: classes }, (_, index) => index),
    [1, classes],
  );
  const right = sum(multiply(logits, equal(labels, numbers)), [-1]); // (S, 1)
  const weights = input('weights', 'float32', [samples, 1]);
  return sumAll(multiply(weights, subtract(logSumExp(logits), right)));
}

/** The categories of photos, numbered in the order of their codes; those of unknown category are left out. */
function classesOf({ codes }: CategoricalColumn, photoOf: Int32Array, photos: Int32Array): PhotoClasses {
  const codeByPhoto = new Map<number, number>();
  for (const [item, photo] of photoOf.entries()) {
    if (photo !== NONE && codes[item] !== 0 && !codeByPhoto.has(photo)) codeByPhoto.set(photo, codes[item]!);
  }
  const known = photos.filter((photo) => codeByPhoto.has(photo));
  const seen = [...new Set(Array.from(known, (photo) => codeByPhoto.get(photo)!))].sort((a, b) => a - b);
  const classOf = new Map(seen.map((code, index) => [code, index]));
  const byPhoto = new Map(Array.from(known, (photo) => [photo, classOf.get(codeByPhoto.get(photo)!)!]));
  return { classes: seen.length, byPhoto };
}

function noCategory(category: string | null, { catalogue }: Dataset): CourierError {
  const names = catalogue.categories.map(({ name }) => name);
  const problem =
    category === null
      ? 'the catalogue has no category of at least two values among training photos'
      : `\`objective.category\` ${category} does not tell training photos apart`;
  return new CourierError(
    'CONFIG_INVALID',
    `Invalid pretrain configuration: ${problem}.`,
    names.length === 0
      ? 'Ingest the dataset with category columns, or choose another objective.'
      : `Category columns are ${names.join(', ')}.`,
  );
}
