/**
 * SimCLR (Chen et al., ICML 2020): two altered views of a photo are to be told from the views of all other photos.
 * No clicks, no words.
 */
import { z } from 'zod';
import type { PhotoBatch } from '../data/samplers/photo-sampler.ts';
import { gather } from '../graph/operators/index.ts';
import { type FloatTensor, input, type Tensor } from '../graph/tensor.ts';
import { inBlocks } from './batch-feeds.ts';
import { infoNce } from './info-nce.ts';
import { objectiveNameMeaning } from './lesson-config.ts';
import type { Objective } from './objective.ts';
import { firstNumbers, meanLoss } from './prefixes.ts';
import { createProjector } from './projector.ts';
import { excluded } from './reconstruction.ts';
import { type ViewInputs, viewFeeds, viewInputs } from './two-views.ts';

export const simclrSettings = z.strictObject({
  name: z.literal('simclr').describe(objectiveNameMeaning),
  temperature: z.number().positive().max(10).default(0.2).describe('Temperature τ of the loss.'),
});

export type SimclrConfig = Omit<z.output<typeof simclrSettings>, 'name'>;

/** @param prefixes lengths of which the loss is taken, too, each through a projection head of its own */
export function simclrObjective(
  { temperature }: SimclrConfig,
  prefixes: readonly number[] = [],
): Objective<PhotoBatch> {
  return {
    loss(embeddings, samples) {
      const inputs = simclrInputs(samples, embeddings.shape[0]!);
      const width = embeddings.shape[1]!;
      const whole = createProjector('projection', width)(embeddings);
      // As wide as that of the whole: in a narrow one a photo may leave every ReLU at zero, which has no direction.
      const cut = prefixes.map((n) =>
        createProjector(`projection.first-${n}`, width, n)(firstNumbers(embeddings, n)),
      );
      const losses = [whole, ...cut].map((projected) => simclrLoss(projected, inputs, temperature));
      return { loss: meanLoss(losses), parts: {} };
    },
    feeds: (batch, rows) => {
      const { length } = batch.photos;
      const shared = {
        shown: photoNumbers(rows),
        logCounts: new Float32Array(rows).fill(excluded, length),
      };
      return inBlocks(length / 2, { ...viewFeeds(batch), own: photoNumbers(length) }, shared);
    },
    perPhoto: ['shown', 'logCounts'],
    lengths: 1 + prefixes.length,
  };
}

/** The photo that each row shows: both of its views go by one number. */
function photoNumbers(length: number): Int32Array {
  return Int32Array.from({ length }, (_, row) => row >> 1);
}

export interface SimclrInputs extends ViewInputs {
  /** The photo of each view. (2S) */
  readonly own: Tensor<'int32'>;
  /** The photo of each row of the batch. (U, 1) */
  readonly shown: Tensor<'int32'>;
  /** 0 for a row with a photo, `excluded` for padding. (U, 1) */
  readonly logCounts: FloatTensor;
}

export function simclrInputs(samples: number, rows: number): SimclrInputs {
  return {
    ...viewInputs(samples),
    own: input('own', 'int32', [2 * samples]),
    shown: input('shown', 'int32', [rows, 1]),
    logCounts: input('logCounts', 'float32', [rows, 1]),
  };
}

/**
 * NT-Xent. A view competes with all others but itself and its partner, which is the positive.
 * @param projected the views of the batch, of unit length (U, d)
 */
export function simclrLoss(projected: FloatTensor, inputs: SimclrInputs, temperature: number): FloatTensor {
  const { views, partners, weights, own, shown, logCounts } = inputs;
  return infoNce({
    anchors: gather(projected, views),
    positives: gather(projected, partners),
    keys: projected,
    own,
    identities: shown,
    logCounts,
    weights,
    temperature,
  });
}
