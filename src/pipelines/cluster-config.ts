/** Settings of clustering, with every default. */
import { z } from 'zod';
import { initializations } from '../clustering/initialization.ts';
import { kMeansDefaults } from '../clustering/k-means.ts';

export const mostClusters = 100_000;

export const clusterConfig = z.strictObject({
  /** Parquet file of item embeddings, as embed writes it. */
  embeddings: z.string().min(1),
  /** Run folder to write. */
  out: z.string().min(1),
  /** Dataset folder with the photos of these items; without one no contact sheets are drawn. */
  dataset: z.string().min(1).optional(),
  /** Each number gives a column of cluster ids; none where only residual codes are wanted. */
  clusters: z
    .array(z.int().min(2).max(mostClusters))
    .max(16)
    .refine((counts) => new Set(counts).size === counts.length, { message: 'a number is given twice' })
    .default([100, 1000]),
  /** Levels of residual codes, such as 3; 0 for none. */
  semanticLevels: z.int().min(0).max(16).default(0),
  /** Codes at each level. */
  semanticCodes: z.int().min(2).max(mostClusters).default(256),
  /** The items that k-means takes as its first centres: some far apart, or any. */
  initialization: z.enum(initializations).default(kMeansDefaults.initialization),
  /** Passes over all items at most. */
  iterations: z.int().min(2).max(1000).default(kMeansDefaults.iterations),
  /** Ends once a pass lowers the inertia by less than this share. */
  tolerance: z.number().min(0).max(1).default(kMeansDefaults.tolerance),
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
