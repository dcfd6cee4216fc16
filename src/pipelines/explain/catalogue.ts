/** The whole catalogue as embeddings see it: a map of it, and what clusters tell about clicks beyond categories. */
import { CentreSearch } from '../../clustering/centre-search.ts';
import { sphericalKMeans } from '../../clustering/spherical-k-means.ts';
import { type CategoricalColumn, type Dataset, splits } from '../../data/dataset.ts';
import { CourierError } from '../../errors.ts';
import type { ItemEmbeddings } from '../../features/item-embeddings.ts';
import { pca } from '../../linear-algebra/pca.ts';
import { type Measured, measure } from '../../metrics/measured.ts';
import { clickInformation, permutedInformation } from '../../metrics/mutual-information.ts';
import type { Progress } from '../../progress.ts';
import { Random } from '../../random.ts';
import type { EmbeddingMap, InformationGain } from '../../report/explanation.ts';
import type { ExplainConfig } from './config.ts';
import type { NamedEmbeddings } from './encoder.ts';

/** Items for each value of a category that are worth a colour; one with a value for every few items is an id. */
const itemsPerValue = 20;

/**
 * The category column of that name; without a name the first that is coarse enough, or the coarsest; null where the
 * dataset has none.
 * @throws CourierError CONFIG_INVALID for a name that the dataset does not have
 */
export function categoryColumn(
  { catalogue }: Pick<Dataset, 'catalogue'>,
  name: string | undefined,
): CategoricalColumn | null {
  const { categories, ids } = catalogue;
  if (name === undefined) {
    const coarse = categories.find(({ values }) => values.length * itemsPerValue <= ids.length);
    return coarse ?? categories.toSorted((a, b) => a.values.length - b.values.length)[0] ?? null;
  }
  const found = categories.find((column) => column.name === name);
  if (found !== undefined) return found;
  const names = categories.map((column) => column.name);
  throw new CourierError(
    'CONFIG_INVALID',
    `Invalid explain configuration: the dataset has no category column ${name}.`,
    names.length === 0 ? 'It has none: leave `category` out.' : `It has ${names.join(', ')}.`,
  );
}

/** Exposures and clicks of the training split. (N) each */
export interface TrainingCounts {
  readonly exposures: Int32Array;
  readonly clicks: Int32Array;
}

export function trainingCounts({ catalogue, pageViews, exposures }: Dataset): TrainingCounts {
  const counts = {
    exposures: new Int32Array(catalogue.ids.length),
    clicks: new Int32Array(catalogue.ids.length),
  };
  const train = splits.indexOf('train');
  for (let pageView = 0; pageView < pageViews.user.length; pageView++) {
    if (pageViews.split[pageView] !== train) continue;
    for (let row = pageViews.start[pageView]!; row < pageViews.start[pageView + 1]!; row++) {
      counts.exposures[exposures.item[row]!]! += 1;
      counts.clicks[exposures.item[row]!]! += exposures.clicked[row]!;
    }
  }
  return counts;
}

/** The first two principal components of a random sample of the embeddings. */
export function mapOf(
  { catalogue }: Dataset,
  { name, embeddings }: NamedEmbeddings,
  { exposures, clicks }: TrainingCounts,
  category: CategoricalColumn | null,
  { mapPoints, mapExposures, seed }: ExplainConfig,
): EmbeddingMap {
  const { dimension, present } = embeddings;
  const items = Int32Array.from(present.keys()).filter((item) => present[item] === 1);
  const random = Random.seeded(seed, 'map');
  const sample = random.shuffle(items.slice()).slice(0, mapPoints);
  const { variances, project } = pca(rowsOf(embeddings, sample), dimension, Math.min(2, dimension));
  const width = variances.length;
  const places = project(rowsOf(embeddings, sample));
  const total = totalVariance(embeddings, sample);
  const share = (axis: number) => (total === 0 ? 0 : (variances[axis] ?? 0) / total);
  return {
    source: name,
    items: items.length,
    explained: [share(0), share(1)],
    category: category?.name ?? null,
    leastExposures: mapExposures,
    points: Array.from(sample, (item, row) => {
      const code = category?.codes[item] ?? 0;
      return {
        item: catalogue.ids[item]!,
        x: places[row * width]!,
        y: width < 2 ? 0 : places[row * width + 1]!,
        category: code === 0 ? null : category!.values[code]!,
        clickRate: exposures[item]! < mapExposures ? null : clicks[item]! / exposures[item]!,
      };
    }),
  };
}

function rowsOf({ dimension, vectors }: ItemEmbeddings, items: Int32Array): Float32Array {
  const rows = new Float32Array(items.length * dimension);
  for (const [row, item] of items.entries())
    rows.set(vectors.subarray(item * dimension, (item + 1) * dimension), row * dimension);
  return rows;
}

/** Mean squared distance from the mean: for rows of length 1 the mean of squares less the square of the mean. */
function totalVariance(embeddings: ItemEmbeddings, items: Int32Array): number {
  const { dimension } = embeddings;
  const rows = rowsOf(embeddings, items);
  const sums = new Float64Array(dimension);
  let squares = 0;
  for (const [place, value] of rows.entries()) {
    sums[place % dimension]! += value;
    squares += value * value;
  }
  return squares / items.length - sums.reduce((sum, value) => sum + (value / items.length) ** 2, 0);
}

/**
 * Clusters each file of embeddings and counts what the clusters tell of training clicks. Items count that have an
 * embedding in every file, so that all are about the same exposures.
 * @returns a gap where there are no such exposures
 */
export async function informationGain(
  { catalogue }: Dataset,
  sources: readonly NamedEmbeddings[],
  counts: TrainingCounts,
  category: CategoricalColumn | null,
  { clusters, iterations, permutations, seed }: ExplainConfig,
  progress: Progress,
  signal: AbortSignal | undefined,
): Promise<Measured<InformationGain>> {
  const everywhere = Int32Array.from(catalogue.ids.keys()).filter((item) =>
    sources.every(({ embeddings }) => embeddings.present[item] === 1),
  );
  const of = (values: Int32Array) => everywhere.map((item) => values[item]!);
  const categories = category === null ? new Int32Array(everywhere.length) : of(category.codes);
  const table = { categories, exposures: of(counts.exposures), clicks: of(counts.clicks) };
  const none = new Int32Array(everywhere.length);
  const whole = measure(() => clickInformation({ ...table, clusters: none }));
  if (whole.kind === 'undefined') return whole;
  const { exposures, clickEntropy } = whole.value;
  const gains: InformationGain['sources'][number][] = [];
  for (const { name, embeddings } of sources) {
    const { dimension } = embeddings;
    const ids = Array.from(everywhere, (item) => catalogue.ids[item]!);
    const stored = { ids, dimension, vectors: rowsOf(embeddings, everywhere) };
    const options = { clusters, initialization: 'k-means++', iterations, tolerance: 3e-4 } as const;
    const search = await CentreSearch.open(dimension);
    const random = Random.seeded(seed, 'clusters');
    const { codes } = await sphericalKMeans(stored, options, search, random, progress, signal).finally(() =>
      search.close(),
    );
    const { plugIn, corrected } = clickInformation({ ...table, clusters: codes });
    const dealing = Random.seeded(seed, 'permutations');
    const chance = permutedInformation({ ...table, clusters: codes }, permutations, dealing);
    gains.push({ name, plugIn, corrected, chance });
  }
  const about = { category: category?.name ?? null, clusters, permutations, exposures, clickEntropy };
  return { kind: 'value', value: { ...about, sources: gains } };
}
