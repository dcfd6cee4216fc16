/**
 * What embeddings know before a ranker sees them: how much of the test period, and by SimScore AUC of each period, side by side, what
 * they tell of clicks that an encoder learned from, of those that rankers learn from, and of later ones. The further the first
 * lies above the last, the more of it was learned by heart.
 */
import { type Dataset, NONE, pageViewOfRows, type Split } from '../data/dataset.ts';
import { newerPart, olderPart, trainingCut } from '../data/samplers/training-cut.ts';
import type { ItemEmbeddings } from '../features/item-embeddings.ts';
import { simScoreValue } from '../features/sim-score.ts';
import { auc } from '../metrics/auc.ts';
import { type Measured, measure } from '../metrics/measured.ts';
import { Random } from '../random.ts';
import { rowsOfSplit } from '../rankers/fields.ts';
import type { EmbeddingFigures } from '../report/report.ts';
import type { EvaluationConfig } from './config.ts';
import { leaks, seenClicks } from './leaks.ts';
import type { PlannedRow } from './ranker-trainer.ts';
import { loadItemEmbeddings } from './visual-inputs.ts';

/** Exposures of a period that are looked at, drawn at random where there are more. */
const mostRows = 20_000;

/** Of every source of the rows, by the embeddings of the first seed that has some. */
export async function embeddingFigures(
  dataset: Dataset,
  { seeds, olderShare }: Pick<EvaluationConfig, 'seeds' | 'olderShare'>,
  rows: readonly PlannedRow[],
): Promise<readonly EmbeddingFigures[]> {
  const found = new Map<string, { readonly path: string; readonly seed: number; readonly areOwn: boolean }>();
  for (const row of rows) {
    if (row === null || found.has(row.source)) continue;
    const seed = seeds.find((each) => row.embeddings(each) !== null);
    const path = seed === undefined ? null : row.embeddings(seed);
    if (seed !== undefined && path !== null)
      found.set(row.source, { path, seed, areOwn: row.areOwn ?? false });
  }
  const cut = trainingCut(dataset, olderShare);
  const older = exposuresOf(cut === null ? dataset : olderPart(dataset, cut), 'train');
  const newer = cut === null ? null : exposuresOf(newerPart(dataset, cut), 'train');
  const validation = exposuresOf(dataset, 'validation');
  const test = exposuresOf(dataset, 'test');
  const periods: EmbeddingFigures[] = [];
  for (const [source, { path, seed, areOwn }] of found) {
    const embeddings = await loadItemEmbeddings(dataset, path);
    const simScoreOf = simScoreValue(dataset, embeddings);
    const over = (exposures: Int32Array) => aucOver(dataset, exposures, simScoreOf);
    periods.push({
      source,
      seed,
      leaks: await leaks(dataset, path),
      seen: await seenClicks(path, cut, areOwn),
      ...coverageOf(dataset, embeddings, test, simScoreOf),
      same: areSame(embeddings),
      older: over(older),
      newer: newer === null ? noCut : over(newer),
      validation: over(validation),
    });
  }
  return periods;
}

function coverageOf(
  dataset: Dataset,
  { present }: ItemEmbeddings,
  test: Int32Array,
  simScoreOf: (row: number) => number | null,
): Pick<EmbeddingFigures, 'items' | 'candidates' | 'history' | 'comparable'> {
  const { exposures, pageViews } = dataset;
  const { historyLength } = pageViews;
  const pageViewOf = pageViewOfRows(dataset);
  let [candidates, comparable, places, known] = [0, 0, 0, 0];
  for (const row of test) {
    candidates += present[exposures.item[row]!]!;
    if (simScoreOf(row) !== null) comparable++;
    const from = pageViewOf[row]! * historyLength;
    for (const item of pageViews.history.subarray(from, from + historyLength)) {
      if (item === NONE) continue;
      places++;
      known += present[item]!;
    }
  }
  return {
    items: share(
      present.reduce((sum, one) => sum + one, 0),
      present.length,
      'items',
    ),
    candidates: share(candidates, test.length, 'test exposures'),
    history: share(known, places, 'clicks in the histories of test exposures'),
    comparable: share(comparable, test.length, 'test exposures'),
  };
}

/** Cosines of float32 that differ by less are rounding. */
const rounding = 1e-6;

function areSame(embeddings: ItemEmbeddings): boolean {
  const first = embeddings.present.indexOf(1);
  return embeddings.present.every((one, item) => one === 0 || embeddings.cosine(first, item) > 1 - rounding);
}

function share(part: number, whole: number, what: string): Measured {
  return whole === 0
    ? { kind: 'undefined', why: `There are no ${what}.` }
    : { kind: 'value', value: part / whole };
}

const noCut: Measured<never> = { kind: 'undefined', why: 'The training period could not be cut.' };

/** Exposures of a period, drawn where there are more than are looked at. */
export function exposuresOf(dataset: Dataset, split: Split): Int32Array {
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
