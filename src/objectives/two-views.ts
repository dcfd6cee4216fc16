/** What objectives share that compare two altered views of each photo: rows 2i and 2i + 1 of a batch. */
import type { Dataset } from '../data/dataset.ts';
import { type PhotoBatch, PhotoSampler } from '../data/samplers/photo-sampler.ts';
import { trainingPhotos } from '../data/samplers/training-photos.ts';
import { type FloatTensor, input, type Tensor } from '../graph/tensor.ts';
import type { LessonConfig } from './lesson-config.ts';
import type { Lesson, Objective } from './objective.ts';

/** Both views of S photos; integers name rows of the embeddings. */
export interface ViewInputs {
  /** (2S) */
  readonly views: Tensor<'int32'>;
  /** The other view of the same photo. (2S) */
  readonly partners: Tensor<'int32'>;
  /** Shares in the loss, which sum to 1 over the batch. (2S, 1) */
  readonly weights: FloatTensor;
}

export function viewInputs(samples: number): ViewInputs {
  return {
    views: input('views', 'int32', [2 * samples]),
    partners: input('partners', 'int32', [2 * samples]),
    weights: input('weights', 'float32', [2 * samples, 1]),
  };
}

/** The values of `viewInputs` for a whole batch. */
export function viewFeeds({ photos }: PhotoBatch) {
  const { length } = photos;
  return {
    views: Int32Array.from({ length }, (_, row) => row),
    partners: Int32Array.from({ length }, (_, row) => row ^ 1),
    weights: new Float32Array(length).fill(1 / length),
  };
}

/** Photos of the training period, each looked at twice. */
export function twoViewLesson(
  objective: Objective<PhotoBatch>,
  config: LessonConfig,
  dataset: Dataset,
): Lesson<PhotoBatch> {
  const sampler = new PhotoSampler(trainingPhotos(dataset), { ...config, views: 2 });
  return {
    objective,
    sampler,
    samples: 'photos',
    photos: 2 * sampler.batchSize,
    comparesViews: true,
    memory: null,
    retrieval: null,
    exports: () => ({}),
  };
}
