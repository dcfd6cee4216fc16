/** Settings of ranking, with every default. */
import { z } from 'zod';
import { distinct } from '../../config.ts';
import { evaluationSettings } from '../../evaluation/config.ts';
import { givenEmbeddings } from '../../evaluation/given-embeddings.ts';
import { featureNames, featureSetText } from '../../features/index.ts';
import { runSettings } from '../../runs/settings.ts';

const setOrNone = z.union([z.literal('none'), featureSetText]);

export const rankConfig = z.strictObject({
  dataset: runSettings.dataset,
  out: runSettings.out,
  embeddings: givenEmbeddings.describe(
    'Files of item embeddings by name, of any encoder; needed for every feature but none: Parquet, CSV, npy or safetensors; a matrix has its ids behind a colon, and columns that are not plain are named: vectors.npy:ids.csv, clip.parquet#id=sku&vector=emb.',
  ),
  features: distinct(z.array(setOrNone).min(1))
    .default(['none'])
    .describe(
      `How embeddings enter the ranker: ${featureNames.join(', ')}, or several joined by +. none, the ranker without images, is always trained: it is what the others are compared with.`,
    ),
  seeds: distinct(z.array(z.int().nonnegative()).min(1))
    .default([1])
    .describe('Each seed repeats the training of every ranker.'),
  export: setOrNone
    .nullable()
    .default(null)
    .describe(
      'Of `features`, or none, those whose ranker is exported for a server: that of the first seed, begun warm, with the first of `embeddings`. null exports nothing.',
    ),
  ...evaluationSettings,
});

export type RankConfigInput = z.input<typeof rankConfig>;
