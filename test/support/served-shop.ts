/** A generated shop with exports that a service opens, whose state ends where the test period begins. */
import { join } from 'node:path';
import { columnsOf } from '../../src/data/counters/numeric-rows.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { codesForCatalogue, readClusters } from '../../src/data/embeddings/clusters.ts';
import { closeDataset, loadCountedEvents, loadDataset } from '../../src/data/store.ts';
import type { VisualFeature } from '../../src/data/visual-feature.ts';
import { loadItemEmbeddings } from '../../src/evaluation/visual-inputs.ts';
import { createFeature, featureSet } from '../../src/features/index.ts';
import { embed } from '../../src/pipelines/embed/index.ts';
import { exportServing } from '../../src/pipelines/export/index.ts';
import { rank } from '../../src/pipelines/rank/index.ts';
import type { RankerConfigInput } from '../../src/rankers/config.ts';
import { rawExposures } from '../../src/rankers/exposure.ts';
import { loadRanker } from '../../src/rankers/load.ts';
import type { ShopEvent } from '../../src/serving/events.ts';
import type { ScoreRequest, Service } from '../../src/serving/requests.ts';
import { tinyDataset } from './tiny-dataset.ts';
import { writeUntrainedEncoder } from './untrained-encoder.ts';

export interface ServedShop {
  readonly folder: string;
  /** Folder of the dataset. */
  readonly dataset: string;
  readonly embeddings: string;
  /** Without one, new items come with their embeddings. */
  readonly encoder: string | undefined;
}

/**
 * A shop with photos of 16 pixels a side, embedded by an encoder that has learned nothing: of 60 items in 240 page views unless
 * another size is given.
 */
export async function servedShop(
  folder: string,
  size?: Parameters<typeof tinyDataset>[1],
): Promise<ServedShop> {
  const dataset = await tinyDataset(folder, size);
  const encoder = await writeUntrainedEncoder(join(folder, 'encoder.onnx'), 16);
  const embeddings = join(folder, 'embeddings.parquet');
  await embed({ encoder, dataset, out: embeddings });
  return { folder, dataset, embeddings, encoder };
}

/** What a ranker takes, and where its export goes. */
interface Wanted {
  readonly name: string;
  readonly ranker?: RankerConfigInput;
  /** Such as `sim-score+cluster-id`, or none. */
  readonly features?: string;
}

/** Trains a ranker and exports it for a service. @returns the folder of the export, and of the ranker alone */
export async function exportOf(
  { folder, dataset, embeddings, encoder }: ServedShop,
  { name, ranker = {}, features = 'sim-score+cluster-id' }: Wanted,
): Promise<{ readonly served: string; readonly ranker: string }> {
  const run = join(folder, `run-${name}`);
  await rank({
    dataset,
    out: run,
    embeddings: { embeddings },
    features: features === 'none' ? ['none'] : ['none', features],
    export: features,
    ranker: { epochs: 1, ...ranker },
    choices: [{}],
    starts: ['warm'],
    diagnosis: false,
    codes: { clusters: [4], semanticLevels: 2, semanticCodes: 3 },
  });
  const served = join(folder, `export-${name}`);
  const data = await loadDataset(dataset);
  closeDataset(data);
  await exportServing({
    dataset,
    ranker: join(run, 'export'),
    embeddings,
    encoder,
    until: new Date(data.splitTimes.testFrom).toISOString(),
    out: served,
  });
  return { served, ranker: join(run, 'export') };
}

/** A page view of the test period, and what was shown and clicked with it, by which a service goes on. */
export interface Replayed {
  readonly view: number;
  readonly rows: Int32Array;
  readonly request: ScoreRequest;
  /** What happened before it, since the page view before. */
  readonly before: readonly ShopEvent[];
}

/** The test period in the order of time. */
export async function replay(folder: string, dataset: Dataset): Promise<readonly Replayed[]> {
  const { users, catalogue, pageViews, exposures } = dataset;
  const { shown, clicks } = await loadCountedEvents(folder);
  const from = dataset.splitTimes.testFrom;
  const events = (
    [
      ['exposure', shown],
      ['click', clicks],
    ] as const
  )
    .flatMap(([kind, all]) =>
      Array.from(all?.time ?? [], (time, place): ShopEvent => {
        const { user, item } = all!;
        const [who, what] = [users[user[place]!]!, catalogue.ids[item[place]!]!];
        return { id: `${kind}-${place}`, kind, user: who, item: what, time };
      }),
    )
    .filter(({ time }) => time >= from)
    .sort((a, b) => a.time - b.time);
  let told = 0;
  return Array.from(pageViews.time.keys())
    .filter((view) => pageViews.time[view]! >= from)
    .map((view): Replayed => {
      const time = pageViews.time[view]!;
      const begin = told;
      while (told < events.length && events[told]!.time < time) told++;
      const first = pageViews.start[view]!;
      const rows = Int32Array.from({ length: pageViews.start[view + 1]! - first }, (_, at) => first + at);
      const context = exposures.context.map(({ name, values, codes }) => {
        return [name, codes[first] === 0 ? null : values[codes[first]!]!] as const;
      });
      return {
        view,
        rows,
        before: events.slice(begin, told),
        request: {
          user: users[pageViews.user[view]!]!,
          candidates: Array.from(rows, (row) => catalogue.ids[exposures.item[row]!]!),
          time,
          context: Object.fromEntries(context),
          numeric: numericOf(dataset, rows),
        },
      };
    });
}

/**
 * Where an item is shown, only who shows it knows. The price is that of the item: the catalogue knows it, unless nobody saw the
 * item before the test period.
 */
function numericOf({ exposures, pageViews, splitTimes }: Dataset, rows: Int32Array) {
  const { names } = exposures.numeric;
  if (!names.includes('position')) {
    // Of purchases: what was paid last, which moves on with the log.
    const [paid, missing] = columnsOf(exposures.numeric, ['price', 'price_missing'], rows);
    return { price: paid!.map((value, index) => (missing![index] === 1 ? Number.NaN : value)) };
  }
  const [position, price] = columnsOf(exposures.numeric, ['position', 'price'], rows);
  const views = pageViews.time.findIndex((time) => time >= splitTimes.testFrom);
  const before = new Set(exposures.item.subarray(0, pageViews.start[views]));
  const own = price!.map((value, index) => (before.has(exposures.item[rows[index]!]!) ? Number.NaN : value));
  return { position: position!, price: own };
}

/** The feature that an exported ranker was trained with, as offline code makes it; null for `none`. */
export async function offlineFeature(
  { embeddings }: ServedShop,
  dataset: Dataset,
  features: string,
  ranker: string,
): Promise<VisualFeature | null> {
  if (features === 'none') return null;
  const items = await loadItemEmbeddings(dataset, embeddings);
  const codes = /id/.test(features)
    ? codesForCatalogue(await readClusters(join(ranker, 'codes.parquet')), dataset.catalogue)
    : [];
  return createFeature(featureSet(features), dataset, {
    embeddings: items,
    clusters: codes.filter(({ name }) => name.startsWith('cluster')),
    semanticIds: codes.filter(({ name }) => name.startsWith('semantic')),
  });
}

/** What an exported ranker gives replayed page views without a service. */
export async function offlineScores(
  dataset: Dataset,
  feature: VisualFeature | null,
  ranker: string,
  replayed: readonly Replayed[],
): Promise<Float32Array> {
  const loaded = await loadRanker(ranker);
  const rows = Int32Array.from(replayed.flatMap((each) => Array.from(each.rows)));
  const scores = await loaded.score(rawExposures(dataset, feature, rows));
  await loaded.release();
  return scores;
}

export function largestDifference(one: Float32Array, other: Float32Array): number {
  if (one.length !== other.length) throw new Error(`${one.length} values beside ${other.length}`);
  return one.reduce((most, value, place) => Math.max(most, Math.abs(value - other[place]!)), 0);
}

/** Records what happened before each page view, and asks for its scores: what the rows of the test period get. */
export async function scoresOf(service: Service, replayed: readonly Replayed[]): Promise<Float32Array> {
  const scores: number[] = [];
  for (const { before, request } of replayed) {
    if (before.length > 0) await service.record(before);
    scores.push(...(await service.score(request)).scores);
  }
  return Float32Array.from(scores);
}
