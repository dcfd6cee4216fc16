/** The settings of a ranker and of its training, with every default. */
import { z } from 'zod';

export const rankerConfig = z.strictObject({
  ranker: z.enum(['mlp', 'din', 'dcnv2', 'deepfm']).default('din'),
  /** Length E of the embedding of an id. */
  embeddingDimension: z.int().min(1).max(1024).default(8),
  /**
   * Ids that occur less often among the training exposures share the embedding "unknown" of their field.
   * Rare ids are learned by heart within a pass or two, at the cost of what carries over to later weeks.
   */
  minimumCount: z.int().min(1).default(10),
  /**
   * Rows of the table that all users share, and as many that all items do, each by the hash of its id: for ids that are
   * too many, or that come and go. null gives frequent ids a row of their own.
   */
  idBuckets: z.int().min(1).max(1e9).nullable().default(null),
  /** Hidden units of the network that weighs each history item. */
  attentionWidth: z.int().min(1).max(4096).default(32),
  /** Hidden units of each layer before the logit. */
  hiddenWidths: z.array(z.int().min(1).max(4096)).min(1).default([128, 64]),
  /** Layers of crosses of `dcnv2`. */
  crossLayers: z.int().min(1).max(8).default(2),
  /** Category column whose values have a gate each on what photos add; the dataset's first without it. */
  gateCategory: z.string().min(1).nullable().default(null),
  /** Exposures per step. */
  batchSize: z.int().min(1).max(65_536).default(1024),
  /** Learning rate of Adam, for all but the embeddings of ids. */
  learningRate: z.number().positive().default(2e-3),
  /** How the embeddings of ids are trained. A step costs as much as its batch has ids, whatever the size of the table. */
  tableOptimizer: z.enum(['adagrad', 'adam']).default('adagrad'),
  tableLearningRate: z.number().positive().default(0.01),
  /** L2 penalty on the embeddings of ids, added to the gradient of those of the batch. */
  tableDecay: z.number().nonnegative().default(0),
  /** Passes over the training split at most. */
  epochs: z.int().min(1).default(5),
  /** How often per pass the AUC on the validation split is taken. */
  evaluationsPerEpoch: z.int().min(1).default(2),
  /** Training ends when so many evaluations in a row bring no better AUC. */
  patience: z.int().min(1).default(4),
});

export type RankerConfigInput = z.input<typeof rankerConfig>;
export type RankerConfig = z.output<typeof rankerConfig>;
