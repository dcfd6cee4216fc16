/** How items are clustered, with every default. */
import { z } from 'zod';
import { initializations } from './initialization.ts';
import { kMeansDefaults } from './k-means.ts';

export const mostClusters = 100_000;

export const clusteringSettings = z.strictObject({
  clusters: z
    .array(z.int().min(2).max(mostClusters))
    .max(16)
    .refine((counts) => new Set(counts).size === counts.length, { message: 'a number is given twice' })
    .default([100, 1000])
    .describe(
      'Numbers of clusters; each gives a column of cluster ids. [] where only residual codes are wanted.',
    ),
  semanticLevels: z
    .int()
    .min(0)
    .max(16)
    .default(0)
    .describe('Levels of residual codes, such as 3; 0 for none.'),
  semanticCodes: z.int().min(2).max(mostClusters).default(256).describe('Codes at each level.'),
  initialization: z
    .enum(initializations)
    .default(kMeansDefaults.initialization)
    .describe('The items that k-means takes as its first centres: some far apart, or any.'),
  iterations: z
    .int()
    .min(2)
    .max(1000)
    .default(kMeansDefaults.iterations)
    .describe('Passes over all items at most.'),
  tolerance: z
    .number()
    .min(0)
    .max(1)
    .default(kMeansDefaults.tolerance)
    .describe('k-means ends once a pass lowers the inertia by less than this share.'),
});

export type ClusteringSettings = z.output<typeof clusteringSettings>;
