/**
 * The COURIER objective (arXiv 2306.05001): L = L_pv + λ L_ucs, and what it becomes when a part of it is left out.
 *
 * Letters in shapes: S samples (one click each), C candidates, H history places, U distinct photos, d the
 * length of an embedding.
 */
import { z } from 'zod';
import type { ClickBatch } from '../data/samplers/click-sampler.ts';
import { add, gather, l2Normalize, matmul, multiply, reshape, split } from '../graph/operators/index.ts';
import { constant, type FloatTensor, input, openLength, scalar, type Tensor } from '../graph/tensor.ts';
import { inBlocks } from './batch-feeds.ts';
import { negativeCosine } from './cosine.ts';
import { clickFeeds, clickInputs, clickLoss } from './courier-click-loss.ts';
import {
  type CourierInputs,
  type CourierPlaces,
  courierAxes,
  courierFeeds,
  courierInputs,
} from './courier-inputs.ts';
import { type InfoNce, infoNce } from './info-nce.ts';
import { objectiveNameMeaning } from './lesson-config.ts';
import type { Objective } from './objective.ts';
import { createProjector } from './projector.ts';
import { createReconstruction, type Reconstruct, reconstructionForms } from './reconstruction.ts';

export const courierSettings = z.strictObject({
  name: z.literal('courier').default('courier').describe(objectiveNameMeaning),
  form: z
    .enum(reconstructionForms)
    .default('projected-attention')
    .describe('How a candidate is rebuilt from the history.'),
  heads: z
    .int()
    .min(1)
    .max(32)
    .default(4)
    .describe('Heads of the attention that rebuilds; must divide the length of the embeddings.'),
  temperature: z.number().positive().max(10).default(0.05).describe('Temperature τ of both losses.'),
  sequenceWeight: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .describe('λ, the weight of the click sequence loss L_ucs.'),
  contrast: z
    .boolean()
    .default(true)
    .describe(
      'false asks only that what is rebuilt be near, −cos in place of InfoNCE: embeddings then collapse.',
    ),
  negatives: z
    .enum(['shown', 'clicked'])
    .default('shown')
    .describe(
      'What a click must be told from: every photo that the batch shows, or only those that were clicked.',
    ),
  projectionHead: z
    .boolean()
    .default(false)
    .describe(
      'Whether the losses see embeddings through a projection head, which the encoder then goes without.',
    ),
  clickWeight: z
    .number()
    .min(0)
    .max(100)
    .default(0)
    .describe('Weight of the auxiliary click loss, which tells clicked from unclicked candidates.'),
});

export type CourierConfig = Omit<z.output<typeof courierSettings>, 'name'>;

/** @param prefixes lengths of which the contrastive losses are taken, too */
export function courierObjective(
  config: CourierConfig,
  places: CourierPlaces,
  prefixes: readonly number[] = [],
): Objective<ClickBatch> {
  return {
    loss(embeddings, samples) {
      const inputs = courierInputs(samples, places.history, embeddings.shape[0]!);
      const dimension = embeddings.shape[1]!;
      const space = courierSpace(config, dimension)(embeddings);
      const reconstruct = createReconstruction(config, dimension);
      const { loss, ...parts } = courierLoss(space, inputs, { ...config, prefixes }, reconstruct);
      if (config.clickWeight === 0) return { loss, parts };
      const clicks = clickLoss(space, clickInputs(samples, places), reconstruct);
      const weighted = multiply(clicks, scalar(config.clickWeight));
      return { loss: add(loss, weighted), parts: { ...parts, clickLoss: clicks } };
    },
    feeds(batch, rows) {
      const { candidateCounts, newestKeys, newestCounts, ...perSample } = courierFeeds(
        batch,
        rows,
        config.negatives,
      );
      const clicks = config.clickWeight === 0 ? {} : clickFeeds(batch);
      const samples = batch.clicked.length;
      return inBlocks(samples, { ...perSample, ...clicks }, { candidateCounts, newestKeys, newestCounts });
    },
    perPhoto: ['candidateCounts'],
    openAxes: courierAxes,
    lengths: 1 + prefixes.length,
  };
}

/** From embeddings to what the losses see of them. (…, d) → (…, d) */
export function courierSpace({ projectionHead }: CourierConfig, dimension: number) {
  return projectionHead ? createProjector('projection', dimension) : (x: FloatTensor) => x;
}

/** Prefixes of which the losses are taken, too; none without it. What is rebuilt is weighed by whole embeddings, then cut. */
interface CourierLossConfig extends CourierConfig {
  readonly prefixes?: readonly number[];
}

export interface CourierLoss {
  readonly loss: FloatTensor;
  readonly pageViewLoss: FloatTensor;
  readonly sequenceLoss: FloatTensor;
}

/**
 * L = L_pv + λ L_ucs, or the given samples' part of it.
 * @param embeddings of the distinct photos of the batch, of unit length (U, d)
 */
export function courierLoss(
  embeddings: FloatTensor,
  inputs: CourierInputs,
  config: CourierLossConfig,
  reconstruct: Reconstruct,
): CourierLoss {
  const compare = createComparison(config);
  const history = gather(embeddings, inputs.history); // (S, H, d)
  const pageViewLoss = contrastPageViews(embeddings, inputs, history, reconstruct, compare);
  const sequenceLoss = contrastClickSequences(
    {
      history,
      mask: inputs.historyMask,
      keys: gather(embeddings, inputs.newestKeys),
      own: inputs.newest,
      identities: reshape(inputs.newestKeys, [openLength, 1]),
      logCounts: inputs.newestCounts,
      weights: inputs.sequenceWeights,
    },
    reconstruct,
    compare,
  );
  const loss = add(pageViewLoss, multiply(sequenceLoss, scalar(config.sequenceWeight)));
  return { loss, pageViewLoss, sequenceLoss };
}

/** How what is rebuilt is held against what it should be. */
type Compare = (terms: Omit<InfoNce, 'temperature' | 'prefixes'>) => FloatTensor;

export function createComparison({ contrast, temperature, prefixes = [] }: CourierLossConfig): Compare {
  return (terms) =>
    contrast
      ? infoNce({ ...terms, temperature, prefixes })
      : negativeCosine(terms.anchors, terms.positives, terms.weights);
}

/**
 * L_pv: every clicked candidate is rebuilt from its user's history and must be told from all other
 * candidates of the batch, the unclicked ones of its own page view included. Copies of the clicked photo
 * elsewhere in the batch do not compete with it.
 */
function contrastPageViews(
  embeddings: FloatTensor,
  { clicked, historyMask, candidateCounts, pageViewWeights }: CourierInputs,
  history: FloatTensor,
  reconstruct: Reconstruct,
  compare: Compare,
): FloatTensor {
  const positives = gather(embeddings, clicked); // (S, d)
  return compare({
    anchors: reconstruct(positives, history, historyMask).rebuilt,
    positives,
    keys: embeddings,
    own: clicked,
    logCounts: candidateCounts,
    weights: pageViewWeights,
  });
}

/**
 * Cosines between what is rebuilt for each click and every photo of the batch, from inputs of the loss and
 * `embeddings` (U, d): (S, U).
 */
export function courierRetrieval(
  config: CourierConfig,
  samples: number,
  places: number,
  dimension: number,
): FloatTensor {
  const embeddings = courierSpace(config, dimension)(input('embeddings', 'float32', [openLength, dimension]));
  const { clicked, history, historyMask } = courierInputs(samples, places, openLength);
  const reconstruct = createReconstruction(config, dimension);
  const { rebuilt } = reconstruct(gather(embeddings, clicked), gather(embeddings, history), historyMask);
  return matmul(l2Normalize(rebuilt), l2Normalize(embeddings), { transposeB: true });
}

interface ClickSequences {
  /** (S, H, d) */
  readonly history: FloatTensor;
  /** (S, H) */
  readonly mask: FloatTensor;
  /** What the newest clicks show, of unit length. (N, d) */
  readonly keys: FloatTensor;
  /** The photo of the newest click of each history. (S) */
  readonly own: Tensor<'int32'>;
  /** The photo of each key; without them, its row. (N, 1) */
  readonly identities?: Tensor<'int32'>;
  /** (N, 1) */
  readonly logCounts: FloatTensor;
  /** (S, 1) */
  readonly weights: FloatTensor;
}

/**
 * L_ucs: the newest click of each history is rebuilt from the older ones and told from the newest clicks of
 * the other users. Histories of a single click are left out by their weight.
 */
export function contrastClickSequences(
  { history, mask, ...terms }: ClickSequences,
  reconstruct: Reconstruct,
  compare: Compare,
): FloatTensor {
  const [samples, places, dimension] = history.shape;
  const positives = reshape(split(history, [1, places! - 1], 1)[0]!, [samples!, dimension!]);
  // The newest place is masked, not cut off: so the history is projected once for both losses.
  const older = constant(
    'float32',
    Float32Array.from({ length: places! }, (_, place) => Math.min(1, place)),
    [places!],
  );
  const anchors = reconstruct(positives, history, multiply(mask, older)).rebuilt;
  return compare({ anchors, positives, ...terms });
}
