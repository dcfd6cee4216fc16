/** How items are clustered, with every default. */
import { z } from 'zod';
import { initializations } from './initialization.ts';
import { kMeansDefaults } from './k-means.ts';

export const mostClusters = 100_000;

export const clusteringSettings = z.strictObject({
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
});

export type ClusteringSettings = z.output<typeof clusteringSettings>;
