/** Settings of explaining embeddings, with every default. */

import { z } from 'zod';
import { mostClusters } from '../../clustering/config.ts';
import { kMeansDefaults } from '../../clustering/k-means.ts';
import { splits } from '../../data/dataset.ts';
import { deviceChoices } from '../../runtime/device.ts';

/** Name of the embeddings of the encoder that is explained, whose attention is looked at. */
export const ownName = 'courier';

/** Files of embeddings side by side at most. */
const mostSources = 6;

export const explainConfig = z.strictObject({
  dataset: z.string().min(1),
  /** Run folder to write. */
  out: z.string().min(1),
  /** Run folder of pretrain, which holds encoder.onnx and attention.onnx. */
  encoderRun: z.string().min(1),
  /**
   * Files of embeddings by name. `courier` is the encoder's own; without it, embeddings.parquet of the encoder's run
   * folder, or else the catalogue is embedded. Others are what it is compared with.
   */
  embeddings: z
    .record(z.string().regex(/^[A-Za-z0-9][\w .-]{0,39}$/), z.string().min(1))
    .refine((files) => Object.keys(files).length <= mostSources, `more than ${mostSources} files`)
    .default({}),
  /** Period of the clicks. The test period is looked at on demand only, so that nothing is chosen by it. */
  split: z.enum(splits).default('validation'),
  /** Clicks of this user only, … */
  user: z.string().min(1).optional(),
  /** … or on this item only; without either a random sample. */
  item: z.string().min(1).optional(),
  /** Clicks that are shown at most. */
  clicks: z.int().min(1).max(60).default(12),
  /** Items whose neighbours are shown, those of the clicks shown; and neighbours of each. */
  neighbourItems: z.int().min(0).max(20).default(6),
  neighbours: z.int().min(1).max(16).default(8),
  /** Points on the map at most: a random sample of the catalogue. */
  mapPoints: z.int().min(10).max(3000).default(3000),
  /** Exposures of the training split that an item needs for a colour by click rate. */
  mapExposures: z.int().min(1).default(5),
  /** Category column for the map and for the information gain; by default the first with 20 items a value or more. */
  category: z.string().min(1).optional(),
  /** Clusters of each file of embeddings, for the information gain. */
  clusters: z.int().min(2).max(mostClusters).default(50),
  iterations: z.int().min(2).max(1000).default(kMeansDefaults.iterations),
  /** Random divisions that say what clusters tell by chance. */
  permutations: z.int().min(20).max(10_000).default(200),
  seed: z.int().nonnegative().default(1),
  device: z.enum(deviceChoices).default('cpu'),
});

export type ExplainConfigInput = z.input<typeof explainConfig>;
export type ExplainConfig = z.output<typeof explainConfig>;
