/** What an export is checked by when it is opened: page views of the validation period, and what counters say. */
import type { Counters } from '../../data/counters/counters.ts';
import { type Dataset, pageViewOfRows } from '../../data/dataset.ts';
import { LongHistories } from '../../data/long-history.ts';
import type { VisualFeature } from '../../data/visual-feature.ts';
import { Random } from '../../random.ts';
import { rawExposures, textOf } from '../../rankers/exposure.ts';
import { rowsOfSplit } from '../../rankers/fields.ts';
import type { LoadedRanker } from '../../rankers/load.ts';
import type { Recorded, RecordedView } from '../../serving/recorded.ts';

/** Page views that are recorded, and pairs of users and items whose counters are. */
const [recordedViews, countedPairs] = [48, 48];

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
export function sampleOf(dataset: Dataset, seed: number): Int32Array {
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
