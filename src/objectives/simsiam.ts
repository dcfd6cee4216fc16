/**
 * SimSiam (Chen and He, CVPR 2021): from one altered view of a photo, the other is predicted. Nothing is contrasted;
 * what keeps embeddings apart is that no gradient passes through the side that is predicted.
 */
import { z } from 'zod';
import type { PhotoBatch } from '../data/samplers/photo-sampler.ts';
import { affine, weightOf } from '../graph/layers.ts';
import {
  add,
  divide,
  gather,
  matmul,
  multiply,
  project,
  relu,
  squareRoot,
  stopGradient,
  subtract,
} from '../graph/operators/index.ts';
import { ones, zeros } from '../graph/parameters.ts';
import { type FloatTensor, input, parameter, scalar } from '../graph/tensor.ts';
import { inBlocks } from './batch-feeds.ts';
import { negativeCosine } from './cosine.ts';
import { objectiveNameMeaning } from './lesson-config.ts';
import type { Objective } from './objective.ts';
import { viewFeeds, viewInputs } from './two-views.ts';

export const simsiamSettings = z.strictObject({
  name: z.literal('simsiam').describe(objectiveNameMeaning),
});

/** The predictor is this many times narrower inside: its bottleneck. */
const narrowing = 4;
/** Added to the variance of a batch; PyTorch's default. */
const epsilon = 1e-5;

export function simsiamObjective(): Objective<PhotoBatch> {
  return {
    loss(embeddings, samples) {
      const { views, partners, weights } = viewInputs(samples);
      const shares = input('shares', 'float32', [embeddings.shape[0]!, 1]);
      const targets = projected(embeddings, shares); // (U, d)
      const predictions = predicted(targets, shares);
      const towards = stopGradient(gather(targets, partners));
      return { loss: negativeCosine(gather(predictions, views), towards, weights), parts: {} };
    },
    feeds(batch, rows) {
      const { length } = batch.photos;
      const shares = new Float32Array(rows).fill(1 / length, 0, length);
      return inBlocks(length / 2, viewFeeds(batch), { shares });
    },
    perPhoto: ['shares'],
    lengths: 1,
  };
}

/** z: linear, normalised, ReLU, linear, normalised. (U, d) → (U, d) */
function projected(x: FloatTensor, shares: FloatTensor): FloatTensor {
  const width = x.shape[1]!;
  const hidden = relu(batchNorm('projection.norm', plain('projection.hidden', x, 2 * width), shares));
  return batchNorm('projection.end', plain('projection.output', hidden, width), shares);
}

/** p: linear, normalised, ReLU, linear. (U, d) → (U, d) */
function predicted(x: FloatTensor, shares: FloatTensor): FloatTensor {
  const width = x.shape[1]!;
  const narrow = Math.max(1, Math.floor(width / narrowing));
  const hidden = relu(batchNorm('predictor.norm', plain('predictor.hidden', x, narrow), shares));
  return affine('predictor.output', hidden, width);
}

/** A linear map whose bias the normalisation after it would take away. */
function plain(name: string, x: FloatTensor, outputs: number): FloatTensor {
  return project(x, weightOf(name, x.shape[1]!, outputs));
}

/**
 * Batch normalisation (Ioffe and Szegedy, 2015) over the rows, with scale and shift.
 * @param shares 1 / n for the n rows with a photo, 0 for padding (U, 1)
 */
function batchNorm(name: string, x: FloatTensor, shares: FloatTensor): FloatTensor {
  const width = x.shape[1]!;
  const average = (values: FloatTensor) => matmul(shares, values, { transposeA: true }); // (1, d)
  const centred = subtract(x, average(x));
  const deviation = squareRoot(add(average(multiply(centred, centred)), scalar(epsilon)));
  const scaled = multiply(divide(centred, deviation), parameter(`${name}.weight`, [width], ones));
  return add(scaled, parameter(`${name}.bias`, [width], zeros));
}
