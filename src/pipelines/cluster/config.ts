/** Settings of clustering, with every default. */
import { z } from 'zod';
import { clusteringSettings } from '../../clustering/config.ts';
import { runSettings } from '../../runs/settings.ts';

export const clusterConfig = z.strictObject({
  embeddings: z.string().min(1).describe('File of item embeddings, of any encoder, as rank takes it.'),
  out: runSettings.out,
  dataset: z
    .string()
    .min(1)
    .optional()
    .describe('Dataset folder with the photos of these items; without one no contact sheets are drawn.'),
  ...clusteringSettings.shape,
  seed: runSettings.seed,
  sheetClusters: z
    .int()
    .min(1)
    .max(200)
    .default(20)
    .describe('Clusters on a contact sheet, the largest ones.'),
  sheetPhotos: z
    .int()
    .min(1)
    .max(40)
    .default(10)
    .describe('Photos of each cluster on a contact sheet, the nearest to its centre.'),
});

export type ClusterConfigInput = z.input<typeof clusterConfig>;
export type ClusterConfig = z.output<typeof clusterConfig>;

export const assignConfig = z.strictObject({
  assign: z.string().min(1).describe('centres.safetensors of an earlier run.'),
  embeddings: z.string().min(1).describe('Embeddings of the same encoder, such as those of new items.'),
  out: runSettings.out,
});

export type AssignConfigInput = z.input<typeof assignConfig>;
