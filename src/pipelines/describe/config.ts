/** Settings of the data report, with every default. */
import { z } from 'zod';
import { runSettings } from '../../runs/settings.ts';

export const describeConfig = z.strictObject({
  dataset: runSettings.dataset,
  out: z.string().min(1).describe('Folder for data.json and data.html.'),
  values: z
    .int()
    .min(1)
    .max(100)
    .default(15)
    .describe('Values of a category, and positions, that are shown at most: those with the most exposures.'),
  photos: z.int().min(0).max(60).default(12).describe('Photos of most, and of least clicked items.'),
  photoExposures: z
    .int()
    .min(1)
    .default(30)
    .describe('Exposures of the training period that such an item needs.'),
});

export type DescribeConfig = z.output<typeof describeConfig>;
export type DescribeConfigInput = z.input<typeof describeConfig>;
