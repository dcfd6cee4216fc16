/** The settings of a ranker and of its training, with every default. */
import { z } from 'zod';

export const rankerConfig = z.strictObject({
  ranker: z
    .enum(['mlp', 'din', 'dcnv2', 'deepfm'])
    .default('din')
    .describe(
      'Kind of model: a perceptron, a Deep Interest Network, a Deep and Cross Network, or a factorisation machine beside a perceptron.',
    ),
  embeddingDimension: z.int().min(1).max(1024).default(8).describe('Length E of the embedding of an id.'),
  ids: z
    .enum(['own', 'none'])
    .default('own')
    .describe(
      'Whether users and items have embeddings of their own, or are known by categories, history and counters alone: on a log with few exposures a user or an item, ids are learned by heart.',
    ),
  minimumCount: z
    .int()
    .min(1)
    .default(10)
    .describe(
      'Ids that occur less often among the training exposures share one embedding. On small logs a larger value keeps the ranker from learning users and items by heart.',
    ),
  idBuckets: z
    .int()
    .min(1)
    .max(1e9)
    .nullable()
    .default(null)
    .describe(
      'Rows of the table that all users share, and as many that all items do, each by the hash of its id: for ids that are too many, or that come and go. null gives frequent ids a row of their own.',
    ),
  numericPieces: z
    .int()
    .min(0)
    .max(64)
    .default(8)
    .describe(
      'Base features are seen as they are, and besides as how much of each of so many pieces between quantiles lies below them (Gorishniy et al., 2022), so that counters need not work alike over their whole range; 0 for none.',
    ),
  attentionWidth: z
    .int()
    .min(1)
    .max(4096)
    .default(32)
    .describe('Hidden units of the network of `din` that weighs each history item.'),
  hiddenWidths: z
    .array(z.int().min(1).max(4096))
    .min(1)
    .default([128, 64])
    .describe('Hidden units of each layer before the logit.'),
  crossLayers: z.int().min(1).max(8).default(2).describe('Layers of crosses of `dcnv2`.'),
  gateCategory: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "Category column whose values have a gate each on what photos add; null takes the dataset's first.",
    ),
  batchSize: z
    .int()
    .min(1)
    .max(65_536)
    .default(256)
    .describe(
      'Exposures per step. A ranker that begins warm goes over the newer days once: on a small log smaller batches give it steps enough.',
    ),
  learningRate: z
    .number()
    .positive()
    .default(2e-3)
    .describe('Learning rate of Adam, for all but the embeddings of ids.'),
  tableOptimizer: z
    .enum(['adagrad', 'adam'])
    .default('adagrad')
    .describe(
      'How the embeddings of ids are trained. A step costs as much as its batch has ids, whatever the size of the table.',
    ),
  tableLearningRate: z.number().positive().default(0.01).describe('Learning rate of the embeddings of ids.'),
  tableDecay: z
    .number()
    .nonnegative()
    .default(0)
    .describe('L2 penalty on the embeddings of ids, added to the gradient of those of the batch.'),
  epochs: z
    .int()
    .min(1)
    .default(1)
    .describe(
      'Passes over the training period at most. One is made in the order of time, and its last weights are kept; several in random order, and the weights with the best AUC on the validation period.',
    ),
  evaluationsPerEpoch: z
    .int()
    .min(1)
    .default(2)
    .describe('How often per pass the AUC on the validation period is taken, where there are several.'),
  patience: z
    .int()
    .min(1)
    .default(4)
    .describe('Training ends when so many evaluations in a row bring no better AUC.'),
});

const { ids, minimumCount, numericPieces, epochs, learningRate, tableLearningRate, tableDecay } =
  rankerConfig.shape;

/** Settings that are tried on the ranker without images, laid over the others. */
export const rankerChoice = z.strictObject({
  ids: ids.unwrap().optional(),
  minimumCount: minimumCount.unwrap().optional(),
  numericPieces: numericPieces.unwrap().optional(),
  epochs: epochs.unwrap().optional(),
  learningRate: learningRate.unwrap().optional(),
  tableLearningRate: tableLearningRate.unwrap().optional(),
  tableDecay: tableDecay.unwrap().optional(),
});

export type RankerChoice = z.output<typeof rankerChoice>;
export type RankerConfigInput = z.input<typeof rankerConfig>;
export type RankerConfig = z.output<typeof rankerConfig>;
