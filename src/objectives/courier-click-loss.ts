/**
 * COURIER's auxiliary click loss, of its released code: from a candidate and what was rebuilt for it, a small
 * network says whether it was clicked.
 */
import type { ClickBatch } from '../data/samplers/click-sampler.ts';
import { concatenate, gather, multiply, softplus, subtract, sumAll } from '../graph/operators/index.ts';
import { type FloatTensor, input, type Tensor } from '../graph/tensor.ts';
import type { CourierPlaces } from './courier-inputs.ts';
import { createPerceptron } from './projector.ts';
import type { Reconstruct } from './reconstruction.ts';

/** Every candidate of some samples, clicked or not; integers name rows of the embeddings. */
interface ClickInputs {
  /** (S · C) */
  readonly candidates: Tensor<'int32'>;
  /** The history of each candidate's user. (S · C, H) */
  readonly candidateHistory: Tensor<'int32'>;
  readonly candidateHistoryMask: FloatTensor;
  /** 1 where it was clicked. (S · C, 1) */
  readonly labels: FloatTensor;
  /** Its share in the loss, 0 for padding. (S · C, 1) */
  readonly candidateWeights: FloatTensor;
}

export function clickInputs(samples: number, { candidates, history }: CourierPlaces): ClickInputs {
  const count = samples * candidates;
  return {
    candidates: input('candidates', 'int32', [count]),
    candidateHistory: input('candidateHistory', 'int32', [count, history]),
    candidateHistoryMask: input('candidateHistoryMask', 'float32', [count, history]),
    labels: input('labels', 'float32', [count, 1]),
    candidateWeights: input('candidateWeights', 'float32', [count, 1]),
  };
}

/**
 * The values of `clickInputs` for a whole batch, C · (their width) for each sample. A candidate's own photo is padding in its
 * history; a candidate with nothing else there has no share in the loss.
 */
export function clickFeeds({ clicked, candidates, candidateMask, history, historyMask }: ClickBatch) {
  const samples = clicked.length;
  const [count, places] = [candidates.length / samples, history.length / samples];
  /** The place in the history that belongs to a place in what is repeated for each candidate. */
  const source = (place: number) => Math.floor(place / (count * places)) * places + (place % places);
  const length = samples * count * places;
  const candidateHistory = Int32Array.from({ length }, (_, place) => history[source(place)]!);
  const candidateHistoryMask = Float32Array.from({ length }, (_, place) => {
    const own = candidateHistory[place] === candidates[Math.floor(place / places)];
    return own ? 0 : historyMask[source(place)]!;
  });
  const shares = candidateMask.map((value, candidate) => {
    const from = candidate * places;
    return candidateHistoryMask.subarray(from, from + places).includes(1) ? value : 0;
  });
  const real = shares.reduce((a, b) => a + b, 0);
  return {
    candidates,
    candidateHistory,
    candidateHistoryMask,
    // The clicked candidate comes first.
    labels: Float32Array.from(candidates, (_, place) => (place % count === 0 ? 1 : 0)),
    candidateWeights: shares.map((value) => value / real),
  };
}

/** Binary cross-entropy of a perceptron on [rec ; p], 2d → 4d → 1: the paper's 512 → 1024 → 1 at d = 256. */
export function clickLoss(
  embeddings: FloatTensor,
  { candidates, candidateHistory, candidateHistoryMask, labels, candidateWeights }: ClickInputs,
  reconstruct: Reconstruct,
): FloatTensor {
  const queries = gather(embeddings, candidates); // (S · C, d)
  const { rebuilt } = reconstruct(queries, gather(embeddings, candidateHistory), candidateHistoryMask);
  const both = concatenate([rebuilt, queries], 1); // (S · C, 2d)
  const width = both.shape[1]!;
  const logits = createPerceptron('click', width, 2 * width, 1)(both);
  return sumAll(multiply(candidateWeights, subtract(softplus(logits), multiply(labels, logits))));
}
