/**
 * The COURIER objective (arXiv 2306.05001): L = L_pv + λ L_ucs.
 *
 * Letters in shapes: S samples (one click each), C candidates, H history places, U distinct photos, d the
 * length of an embedding.
 */
import { add, gather, multiply, reshape, sign, split, sum } from '../graph/operators/index.ts';
import { constant, type FloatTensor, scalar, type Tensor } from '../graph/tensor.ts';
import { differs, infoNce } from './info-nce.ts';
import { createReconstruction, type Reconstruct, type ReconstructionConfig } from './reconstruction.ts';

export interface CourierConfig extends ReconstructionConfig {
  /** τ of both losses. */
  readonly temperature: number;
  /** λ, the weight of the click sequence loss L_ucs. */
  readonly sequenceWeight: number;
}

/** One batch as a graph sees it; every integer names a row of `embeddings`. */
export interface CourierBatch {
  /** Embeddings of the distinct photos of the batch. (U, d) */
  readonly embeddings: FloatTensor;
  /** The clicked candidate of each sample. (S) */
  readonly clicked: Tensor<'int32'>;
  /** All candidates, clicked or not. (S, C) */
  readonly candidates: Tensor<'int32'>;
  /** 1 for a candidate with a photo, 0 for padding. (S, C) */
  readonly candidateMask: FloatTensor;
  /** Earlier clicks of the user, newest first. (S, H) */
  readonly history: Tensor<'int32'>;
  /** 1 for a history place with a photo, 0 for padding. (S, H) */
  readonly historyMask: FloatTensor;
  /** The first place of each history. (S) */
  readonly newest: Tensor<'int32'>;
}

export interface CourierLoss {
  readonly loss: FloatTensor;
  readonly pageViewLoss: FloatTensor;
  readonly sequenceLoss: FloatTensor;
}

/** L = L_pv + λ L_ucs for one batch. */
export function courierLoss(batch: CourierBatch, config: CourierConfig): CourierLoss {
  const reconstruct = createReconstruction(config, batch.embeddings.shape[1]!);
  const history = gather(batch.embeddings, batch.history); // (S, H, d)
  const pageViewLoss = contrastPageViews(batch, history, reconstruct, config.temperature);
  const sequenceLoss = contrastClickSequences(
    history,
    batch.historyMask,
    differs(batch.newest, batch.newest),
    reconstruct,
    config.temperature,
  );
  const loss = add(pageViewLoss, multiply(sequenceLoss, scalar(config.sequenceWeight)));
  return { loss, pageViewLoss, sequenceLoss };
}

/**
 * L_pv: every clicked candidate is rebuilt from its user's history and must be told from all other
 * candidates of the batch, the unclicked ones of its own page view included. Copies of the clicked photo
 * elsewhere in the batch do not compete with it.
 */
function contrastPageViews(
  { embeddings, clicked, candidates, candidateMask, historyMask }: CourierBatch,
  history: FloatTensor,
  reconstruct: Reconstruct,
  temperature: number,
): FloatTensor {
  const samples = clicked.shape[0]!;
  const total = samples * candidates.shape[1]!;
  const positives = gather(embeddings, clicked); // (S, d)
  const flat = reshape(candidates, [total]);
  return infoNce({
    anchors: reconstruct(positives, history, historyMask).rebuilt,
    positives,
    keys: gather(embeddings, flat), // (S·C, d)
    competes: multiply(differs(clicked, flat), reshape(candidateMask, [1, total])),
    weights: constant('float32', new Float32Array(samples).fill(1), [samples, 1]),
    temperature,
  });
}

/**
 * L_ucs: the newest click of each history is rebuilt from the older ones and told from the newest clicks of
 * the other users. Histories of a single click are left out.
 *
 * @param history (S, H, d)
 * @param mask (S, H)
 * @param others 1 where the newest click of another row competes (S, S)
 */
export function contrastClickSequences(
  history: FloatTensor,
  mask: FloatTensor,
  others: FloatTensor,
  reconstruct: Reconstruct,
  temperature: number,
): FloatTensor {
  const [samples, places, dimension] = history.shape;
  const [newest, older] = split(history, [1, places! - 1], 1);
  const olderMask = split(mask, [1, places! - 1], 1)[1]!; // (S, H − 1)
  const takesPart = sign(sum(olderMask, [1])); // (S, 1)
  const targets = reshape(newest!, [samples!, dimension!]);
  return infoNce({
    anchors: reconstruct(targets, older!, olderMask).rebuilt,
    positives: targets,
    keys: targets,
    competes: multiply(others, reshape(takesPart, [1, samples!])),
    weights: takesPart,
    temperature,
  });
}
