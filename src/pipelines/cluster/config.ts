/** Settings of clustering, with every default. */
import { z } from 'zod';
import { clusteringSettings } from '../../clustering/config.ts';

export const clusterConfig = z.strictObject({
  /** Parquet file of item embeddings, as embed writes it. */
  embeddings: z.string().min(1),
  /** Run folder to write. */
  out: z.string().min(1),
  /** Dataset folder with the photos of these items; without one no contact sheets are drawn. */
  dataset: z.string().min(1).optional(),
  ...clusteringSettings.shape,
  seed: z.int().nonnegative().default(1),
  /** Of a contact sheet: so many of the largest clusters … */
  sheetClusters: z.int().min(1).max(200).default(20),
  /** … and so many photos of each, the nearest to its centre. */
  sheetPhotos: z.int().min(1).max(40).default(10),
});

export type ClusterConfigInput = z.input<typeof clusterConfig>;
export type ClusterConfig = z.output<typeof clusterConfig>;

export const assignConfig = z.strictObject({
  /** centres.safetensors of an earlier run. */
  assign: z.string().min(1),
  /** Embeddings of the same encoder, such as those of new items. */
  embeddings: z.string().min(1),
  /** Run folder to write. */
  out: z.string().min(1),
});

export type AssignConfigInput = z.input<typeof assignConfig>;
