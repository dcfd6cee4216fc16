/** Settings of judging predictions of other rankers, with every default. */
import { z } from 'zod';
import { runSettings } from '../../runs/settings.ts';

/** What a model may be called. */
const plainName = /^[\w][\w .+-]{0,39}$/;

export const evaluateConfig = z.strictObject({
  dataset: runSettings.dataset,
  predictions: z
    .record(z.string(), z.string().min(1))
    .refine((files) => Object.keys(files).length > 0, 'names no file')
    .refine(
      (files) => Object.keys(files).every((name) => plainName.test(name)),
      'has a name of other than letters, digits, blanks, `_`, `.`, `+` and `-`',
    )
    .describe(
      'Files of predictions by the name of their model (Parquet or CSV): a row for each exposure of the test period. The first model is what the others are compared with.',
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
    .describe('Category column whose values are slices, too.'),
  minimumShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Share of the test exposures that need a prediction of every model; less is an error.'),
  out: z.string().min(1).describe('Folder for evaluation.json and evaluation.html.'),
});

export type EvaluateConfig = z.output<typeof evaluateConfig>;
export type EvaluateConfigInput = z.input<typeof evaluateConfig>;
