/**
 * Whether a service says what was measured: the test period of a generated shop replayed with its events, for every ranker and
 * feature, by a service that is restarted, by a second replica, and after a swap, beside what offline code gives the same rows.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dataset } from '../src/data/dataset.ts';
import { closeDataset, loadDataset } from '../src/data/store.ts';
import { type VisualFeature, widthOf } from '../src/data/visual-feature.ts';
import { featureNames } from '../src/features/index.ts';
import type { RankerConfig } from '../src/rankers/config.ts';
import { weighsPlaces } from '../src/rankers/index.ts';
import type { Described, Service } from '../src/serving/requests.ts';
import { openService } from '../src/serving/service.ts';
import {
  exportOf,
  largestDifference,
  offlineFeature,
  offlineScores,
  type Replayed,
  replay,
  type ServedShop,
  servedShop,
} from '../test/support/served-shop.ts';
import type { Benchmark } from './benchmark.ts';
import { describeRow, type Row, rowOf } from './report.ts';

/** Of few users, so that their histories are long enough for something to be retrieved; the test period has 10,000 exposures. */
const size = { items: 600, shoppers: 60, pageViews: 16_500 };

const rankers: readonly RankerConfig['ranker'][] = ['mlp', 'din', 'dcnv2', 'deepfm'];

/** Ways in which one replay is answered, a quarter each. */
const ways = ['fresh', 'restarted', 'replica', 'swapped'] as const;

export const serveEqual: Benchmark = async ({ only, say }) => {
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const rows: Row[] = [];
  try {
    const shop = await servedShop(folder, size);
    const dataset = await loadDataset(shop.dataset);
    const replayed = await replay(shop.dataset, dataset);
    for (const ranker of rankers) {
      // What every other export is swapped for, and comes back from.
      let none: string | null = null;
      for (const features of featuresOf(ranker)) {
        const name = `${ranker} with ${features}`;
        if (!name.includes(only)) continue;
        none ??= (await exportOf(shop, { name: `${ranker}-none`, ranker: { ranker }, features: 'none' }))
          .served;
        for (const row of await compare(shop, dataset, replayed, { name, ranker, features, none })) {
          rows.push(row);
          say(describeRow(row));
        }
      }
    }
    closeDataset(dataset);
    return { rows, missing: [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Each feature alone, and all that the ranker has a use for together. */
function featuresOf(ranker: RankerConfig['ranker']): readonly string[] {
  const usable = featureNames.filter((name) => name !== 'attention-cosine' || weighsPlaces[ranker]);
  return ['none', ...usable, usable.join('+')];
}

interface Case {
  readonly name: string;
  readonly ranker: RankerConfig['ranker'];
  readonly features: string;
  /** Another export of the same shop. */
  readonly none: string;
}

async function compare(
  shop: ServedShop,
  dataset: Dataset,
  replayed: readonly Replayed[],
  { name, ranker, features, none }: Case,
): Promise<readonly Row[]> {
  const folder = `${ranker}-${features}`;
  const exported = await exportOf(shop, { name: `${folder}-case`, ranker: { ranker }, features });
  const feature = await offlineFeature(shop, dataset, features, exported.ranker);
  const wanted = await offlineScores(dataset, feature, exported.ranker, replayed);
  const state = join(shop.folder, `${folder}.mdb`);
  const open = () => openService({ export: exported.served, state, window: 0, refresh: 60_000 });
  const difference: number[] = [];
  const differing = { base: 0, feature: 0 };
  let [service, told, at] = [await open(), 0, 0];
  for (const [quarter, way] of ways.entries()) {
    const part = replayed.slice(told, Math.ceil(((quarter + 1) * replayed.length) / ways.length));
    told += part.length;
    let writer: Service = service;
    if (way === 'restarted') {
      await service.close();
      service = writer = await open();
    }
    if (way === 'replica') writer = await open();
    if (way === 'swapped') {
      await service.swap(none);
      await service.score(part[0]!.request);
      await service.swap(exported.served);
    }
    let largest = 0;
    for (const { before, request, rows } of part) {
      if (before.length > 0) await writer.record(before);
      // Whoever answers reads what another has written when it is told something itself.
      if (writer !== service) await service.record([]);
      const { scores } = await service.score(request);
      largest = Math.max(largest, largestDifference(scores, wanted.subarray(at, at + rows.length)));
      at += rows.length;
      const described = await service.features(request);
      differing.base += unequal(described.base, baseOf(dataset, rows));
      differing.feature += unequalFeatures(described, feature, rows);
    }
    difference.push(largest);
    if (writer !== service) await writer.close();
  }
  await service.close();
  return [
    ...ways.map((way, place) =>
      rowOf(`${name}, ${way}: largest difference of a score`, `in ${at}`, 'lower', [difference[place]!], {}),
    ),
    rowOf(`${name}: base features that differ`, 'values', 'lower', [differing.base], {}),
    rowOf(`${name}: values of its features that differ`, 'values', 'lower', [differing.feature], {}),
  ];
}

function baseOf({ exposures: { numeric } }: Dataset, rows: Int32Array): Float32Array {
  const base = new Float32Array(rows.length * numeric.names.length);
  numeric.fill(rows, base);
  return base;
}

function unequalFeatures(
  { visual, nearness }: Described,
  feature: VisualFeature | null,
  rows: Int32Array,
): number {
  if (feature === null) return visual.length + nearness.length;
  const [values, near] = [
    new Float32Array(rows.length * widthOf(feature)),
    new Float32Array(nearness.length),
  ];
  feature.fill(rows, values);
  feature.fillNearness?.(rows, near);
  return unequal(visual, values) + unequal(nearness, near);
}

/** Values that are not the same to the last bit; all where their numbers differ. */
function unequal(found: Float32Array, wanted: Float32Array): number {
  if (found.length !== wanted.length) return Math.max(found.length, wanted.length);
  return found.reduce((count, value, place) => count + (Object.is(value, wanted[place]) ? 0 : 1), 0);
}
