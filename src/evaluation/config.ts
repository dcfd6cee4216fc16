/** What `rank` and `compare` let be set for rankers and their evaluation, with every default. */
import { z } from 'zod';
import { rankerChoice, rankerConfig } from '../rankers/config.ts';
import { allowLeak } from './leaks.ts';
import { codesConfig } from './visual-inputs.ts';

export const evaluationSettings = {
  allowLeak,
  ranker: rankerConfig.prefault({}).describe('The click-through-rate model and its training.'),
  choices: z
    .array(rankerChoice)
    .min(1)
    .max(64)
    .default([
      {},
      { minimumCount: 50 },
      { ids: 'none' },
      { numericPieces: 0 },
      { minimumCount: 50, epochs: 8 },
    ])
    .describe(
      'Settings of `ranker` that are tried, each laid over it: how ids are kept from being learned by heart, and how many passes are made. For each start those are taken, and shared by all rows, with which the ranker without images of the first seed has the best AUC on the validation period, the first of those that differ by less than a tenth of a point. One entry is taken untried.',
    ),
  starts: z
    .array(z.enum(['warm', 'scratch']))
    .min(1)
    .default(['warm', 'scratch'])
    .describe(
      'Where rankers begin. `warm`: a ranker without images is trained on the older part of the training period, then goes on with and without them on the newer part, as a model in use would. `scratch`: from nothing on all of it, which exaggerates what images add.',
    ),
  olderShare: z
    .number()
    .gt(0)
    .lt(1)
    .default(2 / 3)
    .describe(
      'Share of the days of the training period, the oldest ones, that encoders and the rankers to go on from learn from. Rankers that begin warm go on with the rest, once and in time order.',
    ),
  codes: codesConfig.prefault({}).describe('How embeddings become ids, for cluster-id and semantic-id.'),
  parallel: z
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe(
      'Trainings that go on at a time, each with its share of cores and memory; by default one for every two cores and 4 GiB, four at most. Results are the same but for the order in which numbers are added.',
    ),
  sliceBy: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'Category column whose values are slices of the report; null for none. Changes only the report.',
    ),
  diagnosis: z
    .boolean()
    .default(true)
    .describe(
      'Whether to look into the best ranker with images: importance, gates, what is left without categories. Trains a few rankers more; changes only the report.',
    ),
} as const;

const evaluationConfig = z.object(evaluationSettings);

export interface EvaluationConfig extends z.output<typeof evaluationConfig> {
  readonly out: string;
  readonly seeds: readonly number[];
  /** Features of the row that `rank` exports; null where it exports none. */
  readonly export?: string | null;
}
