/** How the scores of an export are read: what came true on the validation period, and what it was like. */
import type { Dataset } from '../../data/dataset.ts';
import type { VisualFeature } from '../../data/visual-feature.ts';
import type { ItemEmbeddings } from '../../features/item-embeddings.ts';
import { simScoreValue } from '../../features/sim-score.ts';
import { fitIsotonic, withoutCertainty } from '../../metrics/isotonic.ts';
import { rawExposures } from '../../rankers/exposure.ts';
import { rowsOfSplit } from '../../rankers/fields.ts';
import type { LoadedRanker } from '../../rankers/load.ts';
import type { ServingManifest } from '../../serving/format.ts';
import { LiveHistogram, scoreBins, simScoreBins } from '../../serving/histogram.ts';
import { sampleOf } from './recorded-views.ts';

/** Exposures that a calibration is fitted on at most. */
const calibrationRows = 50_000;

/** Exposures that are made into texts at a time. */
const rowsAtATime = 4096;

/** The calibration, and what scores, SimScores and candidates were like on the validation period. */
export async function referenceOf(
  dataset: Dataset,
  feature: VisualFeature | null,
  embeddings: ItemEmbeddings | null,
  ranker: LoadedRanker,
  seed: number,
): Promise<Pick<ServingManifest, 'calibration' | 'reference'>> {
  const hasValidation = rowsOfSplit(dataset, 'validation').length > 0;
  const rows = sampleOf(dataset, seed).subarray(0, calibrationRows);
  const scores = new Float32Array(rows.length);
  for (let from = 0; from < rows.length; from += rowsAtATime) {
    const part = rows.subarray(from, from + rowsAtATime);
    scores.set(await ranker.score(rawExposures(dataset, feature, part)), from);
  }
  const labels = Uint8Array.from(rows, (row) => dataset.exposures.clicked[row]!);
  const seen = new LiveHistogram(scoreBins);
  seen.add(scores);
  const simScores = new LiveHistogram(simScoreBins);
  if (embeddings !== null) {
    const simScoreOf = simScoreValue(dataset, embeddings);
    simScores.add(Array.from(rows, (row) => simScoreOf(row) ?? Number.NaN));
  }
  const unknown = rows.reduce((sum, row) => {
    const id = dataset.catalogue.ids[dataset.exposures.item[row]!]!;
    return sum + (ranker.columns.knowsItem(id) ? 0 : 1);
  }, 0);
  return {
    calibration: hasValidation ? curveOf(scores, labels) : null,
    reference: {
      scores: seen.value,
      simScores: embeddings === null ? null : simScores.value,
      unknown: unknown / rows.length,
    },
  };
}

function curveOf(scores: Float32Array, labels: Uint8Array): ServingManifest['calibration'] {
  const { scores: points, probabilities } = withoutCertainty(fitIsotonic(scores, labels));
  return { scores: [...points], probabilities: [...probabilities] };
}
