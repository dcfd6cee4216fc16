/** What an export is checked by when it is opened, and how its scores are read: from the validation period. */
import type { Counters } from '../../data/counters.ts';
import { type Dataset, NONE, pageViewOfRows } from '../../data/dataset.ts';
import { LongHistories } from '../../data/long-history.ts';
import type { VisualFeature } from '../../data/visual-feature.ts';
import type { ItemEmbeddings } from '../../features/item-embeddings.ts';
import { simScoreValue } from '../../features/sim-score.ts';
import { fitIsotonic } from '../../metrics/isotonic.ts';
import { Random } from '../../random.ts';
import { rawExposures, textOf } from '../../rankers/exposure.ts';
import { rowsOfSplit } from '../../rankers/fields.ts';
import type { LoadedRanker } from '../../rankers/load.ts';
import type { ServingManifest } from '../../serving/format.ts';
import { LiveHistogram, scoreBins, simScoreBins } from '../../serving/histogram.ts';
import type { Recorded, RecordedView } from '../../serving/recorded.ts';

/** Page views that are recorded, and pairs of users and items whose counters are. */
const [recordedViews, countedPairs] = [48, 48];

/** Exposures that a calibration is fitted on at most. */
const calibrationRows = 50_000;

/** Exposures that are made into texts at a time. */
const rowsAtATime = 4096;

/** Of page views of the validation period, of training where there is none. */
export async function recordViews(
  dataset: Dataset,
  feature: VisualFeature | null,
  ranker: LoadedRanker,
  seed: number,
): Promise<readonly RecordedView[]> {
  const { pageViews, exposures, catalogue, users } = dataset;
  const views = new Set(Array.from(sampleOf(dataset, seed), (row) => pageViewOfRows(dataset)[row]!));
  const histories = new LongHistories(dataset);
  const width = exposures.numeric.names.length;
  const recorded: RecordedView[] = [];
  for (const view of [...views].slice(0, recordedViews)) {
    const [from, to] = [pageViews.start[view]!, pageViews.start[view + 1]!];
    const rows = Int32Array.from({ length: to - from }, (_, place) => from + place);
    const base = new Float32Array(rows.length * width);
    exposures.numeric.fill(rows, base);
    recorded.push({
      user: users[pageViews.user[view]!]!,
      context: ranker.about.layout.context.map((name) => {
        const column = exposures.context.find((each) => each.name === name)!;
        return textOf(column, column.codes[from]!);
      }),
      history: Array.from(histories.before(view), (item) => catalogue.ids[item]!),
      candidates: Array.from(rows, (row) => catalogue.ids[exposures.item[row]!]!),
      base: Array.from(rows, (_, index) => Array.from(base.subarray(index * width, (index + 1) * width))),
      scores: Array.from(await ranker.score(rawExposures(dataset, feature, rows))),
    });
  }
  return recorded;
}

/** Exposures of the validation period, of training where there is none, in random order. */
function sampleOf(dataset: Dataset, seed: number): Int32Array {
  const validation = rowsOfSplit(dataset, 'validation');
  const rows = validation.length > 0 ? validation : rowsOfSplit(dataset, 'train');
  return Random.seeded(seed, 'recorded').shuffle(rows);
}

/** What counters that know everything up to a moment say then of some users and items, some of which they know. */
export function recordCounted(
  counters: Counters,
  { users, catalogue, pageViews, exposures }: Dataset,
  until: number,
  seed: number,
): Recorded['counted'] {
  const random = Random.seeded(seed, 'counted');
  return Array.from({ length: countedPairs }, () => {
    const view = random.integer(pageViews.user.length);
    const user = pageViews.user[view]!;
    const item = exposures.item[pageViews.start[view]!] ?? 0;
    const values = Array.from(counters.describe(item, user, until));
    return { user: users[user]!, item: catalogue.ids[item]!, values };
  });
}

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
  const { scores: points, probabilities } = fitIsotonic(scores, labels);
  return { scores: [...points], probabilities: [...probabilities] };
}

/** What the log knew last of each item in the columns that come with it, before a moment; NaN where nothing. (N) each */
export function newestNumbers(
  { catalogue, pageViews, exposures }: Dataset,
  names: readonly string[],
  until: number,
): readonly { readonly name: string; readonly values: Float64Array }[] {
  const { numeric } = exposures;
  const columns = names.map((name) => {
    const values = new Float64Array(catalogue.ids.length).fill(Number.NaN);
    const at = numeric.names.indexOf(name);
    // Behind a column with gaps stands the one that says where.
    return { name, values, at, gap: numeric.means.has(name) ? at + 1 : NONE };
  });
  const width = numeric.names.length;
  const end = pageViews.time.findIndex((time) => time >= until);
  const rows = pageViews.start[end === -1 ? pageViews.user.length : end]!;
  for (let from = 0; from < rows && columns.length > 0; from += rowsAtATime) {
    const count = Math.min(rowsAtATime, rows - from);
    const part = Int32Array.from({ length: count }, (_, place) => from + place);
    const numbers = new Float32Array(count * width);
    numeric.fill(part, numbers);
    for (let index = 0; index < count; index++)
      for (const { values, at, gap } of columns)
        if (gap === NONE || numbers[index * width + gap] === 0)
          values[exposures.item[from + index]!] = numbers[index * width + at]!;
  }
  return columns.map(({ name, values }) => ({ name, values }));
}
