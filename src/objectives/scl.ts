/**
 * Supervised contrastive learning from behaviour (SCL, arXiv 2407.19467, with MoCo's queue and momentum encoder,
 * He et al., CVPR 2020): a clicked photo is to find another one that the same user clicked before, among those of
 * the last batches. Those are embedded by a moving average of the encoder, and no gradient passes through them.
 */
import { z } from 'zod';
import type { Dataset } from '../data/dataset.ts';
import { type PairBatch, PairSampler } from '../data/samplers/pair-sampler.ts';
import { gather } from '../graph/operators/index.ts';
import { input } from '../graph/tensor.ts';
import { inBlocks } from './batch-feeds.ts';
import { infoNce } from './info-nce.ts';
import { KeyQueue } from './key-queue.ts';
import { type LessonConfig, objectiveNameMeaning } from './lesson-config.ts';
import type { Lesson, Objective } from './objective.ts';
import { excluded } from './reconstruction.ts';

export const sclSettings = z.strictObject({
  name: z.literal('scl').describe(objectiveNameMeaning),
  temperature: z.number().positive().max(10).default(0.2).describe('Temperature τ of the loss.'),
  queue: z
    .int()
    .min(2)
    .max(1_048_576)
    .default(1024)
    .describe(
      'Earlier clicks that compete, the newest first; at least a batch. Many batches are for encoders that change slowly.',
    ),
  momentum: z
    .number()
    .min(0)
    .max(0.99999)
    .default(0.99)
    .describe(
      'Share of the old in the moving average that embeds the queue, where `averageDecay` does not set another.',
    ),
});

export type SclConfig = Omit<z.output<typeof sclSettings>, 'name'>;

export function sclLesson(objective: SclConfig, config: LessonConfig, dataset: Dataset): Lesson<PairBatch> {
  const sampler = new PairSampler(dataset, config);
  const queue = new KeyQueue(Math.max(objective.queue, sampler.batchSize), config.dimension);
  return {
    objective: sclObjective(objective, queue, config.prefixes),
    sampler,
    samples: 'clicks with a photo and another one before',
    photos: Math.min(sampler.batchSize, dataset.images.count),
    comparesViews: false,
    memory: {
      averageDecay: objective.momentum,
      get arrays() {
        return queue.arrays;
      },
      restore: (arrays) => queue.restore(arrays),
      recall: async ({ earlier }, embed) => queue.push(await embed(earlier), earlier),
    },
    retrieval: null,
    exports: () => ({}),
  };
}

/**
 * @param queue holds the keys of a batch, in its order, before its step
 * @param prefixes lengths of which the loss is taken, too
 */
export function sclObjective(
  { temperature }: SclConfig,
  queue: KeyQueue,
  prefixes: readonly number[] = [],
): Objective<PairBatch> {
  return {
    loss(embeddings, samples) {
      const { length, dimension } = queue;
      const keys = input('keys', 'float32', [length, dimension]);
      const loss = infoNce({
        anchors: gather(embeddings, input('clicked', 'int32', [samples])),
        positives: gather(keys, input('keyRows', 'int32', [samples])),
        keys,
        own: input('earlier', 'int32', [samples]),
        identities: input('keyPhotos', 'int32', [length, 1]),
        logCounts: input('keyCounts', 'float32', [length, 1]),
        weights: input('weights', 'float32', [samples, 1]),
        temperature,
        prefixes,
      });
      return { loss, parts: {} };
    },
    feeds({ clicked, earlier }) {
      const { length } = clicked;
      const { keys, photos } = queue;
      const perSample = {
        clicked,
        earlier,
        // The newest keys are this batch's own.
        keyRows: Int32Array.from({ length }, (_, sample) => sample),
        weights: new Float32Array(length).fill(1 / length),
      };
      const keyCounts = Float32Array.from(photos, (photo) => (photo < 0 ? excluded : 0));
      return inBlocks(length, perSample, { keys, keyPhotos: photos, keyCounts });
    },
    perPhoto: [],
    lengths: 1 + prefixes.length,
  };
}
