/** Settings of judging predictions of other rankers, with every default. */
import { z } from 'zod';
import { distinct } from '../../config.ts';
import { runSettings } from '../../runs/settings.ts';

/** What a model may be called. */
const plainName = /^[\w][\w .+-]{0,39}$/;

const settings = z.strictObject({
  dataset: runSettings.dataset.optional(),
  predictions: z
    .record(z.string(), z.string().min(1))
    .refine(
      (files) => Object.keys(files).every((name) => plainName.test(name)),
      'has a name of other than letters, digits, blanks, `_`, `.`, `+` and `-`',
    )
    .default({})
    .describe(
      'Files of predictions by the name of their model (Parquet or CSV): a row for each exposure of the test period. The first model is what the others are compared with.',
    ),
  exposures: z
    .string()
    .min(1)
    .optional()
    .describe(
      'In place of dataset and predictions: a file (Parquet or CSV) with a row for each exposure, its columns user, clicked, page_view or time, and one of probabilities for each model.',
    ),
  models: distinct(z.array(z.string().min(1)).min(1).max(40))
    .optional()
    .describe(
      'Columns of `exposures` that are predictions, of which the first is what the others are compared with; without it all other columns of numbers.',
    ),
  score: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Column of the predicted probability, or an SQL expression over the columns, such as 1 / (1 + exp(-logit)); without it the one called score, prediction, probability, p, pred, ctr, or the only other column of numbers.',
    ),
  sliceBy: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Category column whose values are slices, too; of `exposures` any column.'),
  minimumShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Share of the test exposures that need a prediction of every model; less is an error.'),
  out: z.string().min(1).describe('Folder for evaluation.json and evaluation.html.'),
});

export const evaluateConfig = settings
  .refine(
    ({ dataset, exposures }) => (dataset === undefined) !== (exposures === undefined),
    'needs either `dataset` and `predictions`, or `exposures`',
  )
  .refine(({ dataset, predictions }) => dataset === undefined || Object.keys(predictions).length > 0, {
    path: ['predictions'],
    message: 'names no file',
  })
  .refine(({ exposures, predictions }) => exposures === undefined || Object.keys(predictions).length === 0, {
    path: ['predictions'],
    message: 'are columns of `exposures`: name them as `models`',
  });

export type EvaluateConfig = z.output<typeof evaluateConfig>;
export type EvaluateConfigInput = z.input<typeof evaluateConfig>;
