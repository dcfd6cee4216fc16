/**
 * SimScore AUC of each period, side by side: what embeddings tell of clicks that an encoder learned from, of those that rankers
 * learn from, and of later ones. The further the first lies above the last, the more of it was learned by heart.
 */
import type { Dataset, Split } from '../data/dataset.ts';
import { newerPart, olderPart, trainingCut } from '../data/training-cut.ts';
import { simScoreValue } from '../features/sim-score.ts';
import { auc } from '../metrics/auc.ts';
import { type Measured, measure } from '../metrics/measured.ts';
import { Random } from '../random.ts';
import { rowsOfSplit } from '../rankers/fields.ts';
import type { SimScorePeriods } from '../report/report.ts';
import type { EvaluationConfig } from './config.ts';
import type { PlannedRow } from './ranker-trainer.ts';
import { loadItemEmbeddings } from './visual-inputs.ts';

/** Exposures of a period that are looked at, drawn at random where there are more. */
const mostRows = 20_000;

/** Of the embeddings of every source of the rows, of the first seed that has any. */
export async function simScorePeriods(
  dataset: Dataset,
  { seeds, olderShare }: Pick<EvaluationConfig, 'seeds' | 'olderShare'>,
  rows: readonly PlannedRow[],
): Promise<readonly SimScorePeriods[]> {
  const found = new Map<string, { readonly path: string; readonly seed: number }>();
  for (const row of rows) {
    if (row === null || found.has(row.source)) continue;
    const seed = seeds.find((each) => row.embeddings(each) !== null);
    const path = seed === undefined ? null : row.embeddings(seed);
    if (seed !== undefined && path !== null) found.set(row.source, { path, seed });
  }
  const cut = trainingCut(dataset, olderShare);
  const older = exposuresOf(cut === null ? dataset : olderPart(dataset, cut), 'train');
  const newer = cut === null ? null : exposuresOf(newerPart(dataset, cut), 'train');
  const validation = exposuresOf(dataset, 'validation');
  const periods: SimScorePeriods[] = [];
  for (const [source, { path, seed }] of found) {
    const simScoreOf = simScoreValue(dataset, await loadItemEmbeddings(dataset, path));
    const over = (exposures: Int32Array) => aucOver(dataset, exposures, simScoreOf);
    periods.push({
      source,
      seed,
      older: over(older),
      newer: newer === null ? noCut : over(newer),
      validation: over(validation),
    });
  }
  return periods;
}

const noCut: Measured<never> = { kind: 'undefined', why: 'The training period could not be cut.' };

function exposuresOf(dataset: Dataset, split: Split): Int32Array {
  const rows = rowsOfSplit(dataset, split);
  return rows.length <= mostRows ? rows : Random.seeded(1, 'periods').shuffle(rows).slice(0, mostRows).sort();
}

/** Over the exposures that can be compared with a history. */
function aucOver(
  { exposures }: Dataset,
  rows: Int32Array,
  simScoreOf: (row: number) => number | null,
): Measured {
  const [scores, labels]: [number[], number[]] = [[], []];
  for (const row of rows) {
    const score = simScoreOf(row);
    if (score === null) continue;
    scores.push(score);
    labels.push(exposures.clicked[row]!);
  }
  return measure(() => auc(Float64Array.from(scores), Uint8Array.from(labels)));
}
