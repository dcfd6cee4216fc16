/** Settings of explaining embeddings, with every default. */

import { z } from 'zod';
import { mostClusters } from '../../clustering/config.ts';
import { kMeansDefaults } from '../../clustering/k-means.ts';
import { splits } from '../../data/dataset.ts';
import { runSettings } from '../../runs/settings.ts';

/** Name of the embeddings of the encoder that is explained, whose attention is looked at. */
export const ownName = 'courier';

/** Files of embeddings side by side at most. */
const mostSources = 6;

export const explainConfig = z.strictObject({
  dataset: runSettings.dataset,
  out: runSettings.out,
  encoderRun: z
    .string()
    .min(1)
    .describe('Run folder of pretrain, which holds encoder.onnx and attention.onnx.'),
  embeddings: z
    .record(z.string().regex(/^[A-Za-z0-9][\w .-]{0,39}$/), z.string().min(1))
    .refine((files) => Object.keys(files).length <= mostSources, `more than ${mostSources} files`)
    .default({})
    .describe(
      "Files of embeddings by name. `courier` is the encoder's own; without it, embeddings.parquet of the encoder's run folder is taken, or the catalogue is embedded. Others are what it is compared with.",
    ),
  split: z
    .enum(splits)
    .default('validation')
    .describe('Period of the clicks. The test period is looked at on demand only: nothing is chosen by it.'),
  user: z.string().min(1).optional().describe('Clicks of this user only.'),
  item: z
    .string()
    .min(1)
    .optional()
    .describe('Clicks on this item only; without `user` and `item` a random sample.'),
  clicks: z.int().min(1).max(60).default(12).describe('Clicks that are shown at most.'),
  neighbourItems: z
    .int()
    .min(0)
    .max(20)
    .default(6)
    .describe('Items of the clicks shown whose nearest neighbours are shown.'),
  neighbours: z.int().min(1).max(16).default(8).describe('Neighbours of each of these items.'),
  mapPoints: z
    .int()
    .min(10)
    .max(3000)
    .default(3000)
    .describe('Points on the map at most: a random sample of the catalogue.'),
  mapExposures: z
    .int()
    .min(1)
    .default(5)
    .describe('Exposures of the training period that an item needs for a colour by click rate.'),
  category: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Category column for the map and for the information of clusters; by default the first with 20 items a value or more.',
    ),
  clusters: z
    .int()
    .min(2)
    .max(mostClusters)
    .default(50)
    .describe('Clusters of each file of embeddings, for what they tell about clicks.'),
  iterations: z
    .int()
    .min(2)
    .max(1000)
    .default(kMeansDefaults.iterations)
    .describe('Passes of k-means over all items at most.'),
  permutations: z
    .int()
    .min(20)
    .max(10_000)
    .default(200)
    .describe('Random divisions that say what clusters tell by chance.'),
  seed: runSettings.seed,
  device: runSettings.device,
});

export type ExplainConfigInput = z.input<typeof explainConfig>;
export type ExplainConfig = z.output<typeof explainConfig>;
