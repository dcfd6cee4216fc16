/** Everything that can be set for a comparison, with every default. */
import { z } from 'zod';
import { distinct } from '../../config.ts';
import { embeddingSizes } from '../../data/embeddings/embedding-size.ts';
import { evaluationSettings } from '../../evaluation/config.ts';
import { givenEmbeddings } from '../../evaluation/given-embeddings.ts';
import { featureNames, featureSetText } from '../../features/index.ts';
import { runSettings } from '../../runs/settings.ts';
import { trainingSettings } from '../../training/config.ts';
import { searchSettings } from '../../training/search/settings.ts';
import { defaultSources, sourceNames } from '../../training/source-names.ts';

/** Names of ours, which would be taken for what we make. */
const taken: readonly string[] = sourceNames;

export const compareConfig = z.strictObject({
  dataset: runSettings.dataset,
  out: runSettings.out,
  sources: distinct(z.array(z.enum(sourceNames)))
    .default([...defaultSources])
    .describe('Where embeddings come from.'),
  embeddings: givenEmbeddings
    .refine(
      (files) => !Object.keys(files).some((name) => taken.includes(name.toLowerCase())),
      'has a name that is one of `sources`: call it otherwise, as in own-hog=FILE',
    )
    .describe(
      'Files of embeddings by name, of any encoder, which become rows beside those of `sources`: Parquet, CSV, npy or safetensors; a matrix has its ids behind a colon, and columns that are not plain are named: vectors.npy:ids.csv, clip.parquet#id=sku&vector=emb.',
    ),
  features: distinct(z.array(featureSetText).min(1))
    .default(['sim-score'])
    .describe(
      `How embeddings enter the ranker: ${featureNames.join(', ')}, or several joined by +. The ranker without images is always there.`,
    ),
  seeds: distinct(z.array(z.int().nonnegative()).min(1))
    .default([1, 2, 3])
    .describe('Each seed repeats everything that is random: pre-training, sampling, the ranker.'),
  sizes: embeddingSizes.describe(
    'Smaller forms of the embeddings of learned sources, such as [64, "int8", "64-int8"], each a row beside the whole ones: the first 64 numbers, numbers of one byte, or both. No encoder is trained again; `pretrain.prefixes` has encoders learn for it.',
  ),
  screen: z
    .strictObject({
      keep: z.int().min(1).default(3).describe('Sources that go on, the best by SimScore AUC.'),
      always: distinct(z.array(z.string().min(1)))
        .default([])
        .describe('Sources, or names of `embeddings`, that go on whatever their SimScore AUC.'),
    })
    .nullable()
    .default(null)
    .describe(
      'Whether sources are screened by SimScore AUC on the validation period, of the first seed, before rankers are trained: those behind the best `keep` are left out where they can be told from the last of these. null trains rankers for all.',
    ),
  pretrain: trainingSettings.omit({ olderShare: true }).prefault({}).describe('How encoders are trained.'),
  tune: searchSettings
    .nullable()
    .default(null)
    .describe(
      'A search on the validation period for the settings of pre-training, for each objective among `sources` alike and with the first seed, so that none is compared untuned; null takes `pretrain` for all.',
    ),
  ...evaluationSettings,
  examples: z
    .int()
    .min(0)
    .max(50)
    .default(6)
    .describe('Clicks that the report shows with the earlier clicks that they were rebuilt from.'),
});

export type CompareConfig = z.output<typeof compareConfig>;
export type CompareConfigInput = z.input<typeof compareConfig>;
