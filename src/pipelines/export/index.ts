/** Dataset + exported ranker + embeddings → one folder with everything that a service needs, checked before it is there. */
import { copyFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { completedCodes } from '../../clustering/nearest-code.ts';
import { parseConfig } from '../../config.ts';
import { Counters } from '../../data/counters/counters.ts';
import { type Dataset, NONE } from '../../data/dataset.ts';
import { codesForCatalogue, readCentres, readClusters } from '../../data/embeddings/clusters.ts';
import { hashEmbeddings } from '../../data/embeddings/embeddings.ts';
import { type Provenance, readProvenance } from '../../data/embeddings/provenance.ts';
import { type CountedEvents, loadCountedEvents } from '../../data/store.ts';
import type { VisualFeature } from '../../data/visual-feature.ts';
import { attentionPlaces } from '../../encoders/attention-model.ts';
import { readEncoderFile } from '../../encoders/file.ts';
import { requireSide } from '../../encoders/load.ts';
import { CourierError } from '../../errors.ts';
import { loadItemEmbeddings } from '../../evaluation/visual-inputs.ts';
import { createFeature, featureSet } from '../../features/index.ts';
import type { ItemEmbeddings } from '../../features/item-embeddings.ts';
import { silent, type WorkOptions } from '../../progress.ts';
import { exportFiles, type RankerDescription, readDescription } from '../../rankers/export-format.ts';
import { loadRanker } from '../../rankers/load.ts';
import { withDataset } from '../../runs/with-dataset.ts';
import type { Engine } from '../../runtime/engine.ts';
import { Deployment } from '../../serving/deployment.ts';
import { servingFiles, writeManifest } from '../../serving/format.ts';
import { historiesAt } from '../../serving/histories.ts';
import { pictureHash } from '../../serving/photo.ts';
import { writeRecorded } from '../../serving/recorded.ts';
import {
  writeArrays,
  writeHistories,
  writeItems,
  writeUsers,
  writeVectors,
} from '../../serving/stored-state.ts';
import { exists } from '../../storage/files.ts';
import { withOutput } from '../../storage/lock.ts';
import { writeFolderWhole } from '../../storage/output-folder.ts';
import { versions } from '../../version.ts';
import { type ExportConfig, type ExportConfigInput, exportConfig } from './config.ts';
import { newestNumbers } from './newest-numbers.ts';
import { rangesOf } from './ranges.ts';
import { recordCounted, recordViews } from './recorded-views.ts';
import { referenceOf } from './reference.ts';
import { longestSilence } from './silence.ts';

export interface ServingExport {
  /** As an absolute path. */
  readonly folder: string;
  readonly items: number;
  readonly users: number;
  /** Events before this moment are in the state; milliseconds since 1970-01-01 UTC. */
  readonly until: number;
  /** Whether photos of new items can be embedded. */
  readonly embedsPhotos: boolean;
}

/**
 * Writes what a service opens: the ranker, its tables and codes, embeddings, the state of counters and histories, the encoder, a
 * calibration, and page views with their scores, which are scored again before the folder is there.
 * @throws CourierError CONFIG_INVALID, FILE_NOT_FOUND, FILE_CORRUPT, DATASET_INVALID, VALUE_INVALID for parts that do not fit each
 * other, OUTPUT_EXISTS, OUTPUT_IN_USE, OUTPUT_NOT_WRITABLE
 */
export async function exportServing(
  settings: ExportConfigInput,
  { progress = silent, signal }: WorkOptions = {},
): Promise<ServingExport> {
  const config = parseConfig(exportConfig, settings, 'export configuration');
  const folder = resolve(config.out);
  if ((await exists(folder)) && !(await exists(join(folder, servingManifest)))) throw otherFolder(folder);
  const about = await readDescription(config.ranker);
  return withDataset(config.dataset, (dataset, engine) =>
    withOutput(folder, async () => {
      const stage = 'Export';
      progress({ kind: 'start', stage, total: 3, unit: 'steps' });
      const counted = await loadCountedEvents(config.dataset);
      const embeddings = await embeddingsOf(config, about, dataset);
      signal?.throwIfAborted();
      progress({ kind: 'advance', stage, done: 1, detail: 'state' });
      const until = untilOf(config, dataset, counted);
      await writeFolderWhole(folder, async (partial) => {
        const job = { config, about, dataset, engine, counted, embeddings, until, folder: partial };
        await fill(job);
        signal?.throwIfAborted();
        progress({ kind: 'advance', stage, done: 2, detail: 'check' });
        const deployment = await Deployment.open(partial, engine, { window: 0, batchRows: 1, queueRows: 1 });
        await deployment.release();
      });
      progress({ kind: 'end', stage });
      const { users, catalogue } = dataset;
      return {
        folder,
        items: catalogue.ids.length,
        users: users.length,
        until,
        embedsPhotos: config.encoder !== undefined,
      };
    }),
  );
}

const servingManifest = 'serving.json';

interface Job {
  readonly config: ExportConfig;
  readonly about: RankerDescription;
  readonly dataset: Dataset;
  readonly engine: Engine;
  readonly counted: CountedEvents;
  readonly embeddings: KnownEmbeddings | null;
  readonly until: number;
  readonly folder: string;
}

interface KnownEmbeddings {
  readonly items: ItemEmbeddings;
  readonly provenance: Provenance;
}

async function fill(job: Job): Promise<void> {
  const { config, about, dataset, counted, embeddings, until, folder } = job;
  const { catalogue, users, pageViews, exposures, images } = dataset;
  const counters = countersAt(until, counted, dataset);
  const logged = loggedNames(dataset, counters);
  requireFit(about, dataset, counters);
  const ranked = await copyRanker(config.ranker, about, folder);
  const numeric = newestNumbers(dataset, logged, until);
  const { ids, categories } = catalogue;
  await writeItems(folder, { ids, categories, numeric, pictures: picturesOf(dataset) });
  await writeUsers(folder, users);
  await writeArrays(join(folder, servingFiles.counters), counters.state());
  await writeHistories(folder, historiesAt(until, users.length, counted.clicks, pageViews));
  const encoder = await copyEncoder(job);
  const places = await copyAttention(job);
  const feature = embeddings === null ? null : await featureOf(job, embeddings.items);
  if (embeddings !== null) await writeVectors(folder, embeddings.items.vectors, embeddings.items.dimension);
  const ranker = await loadRanker(folder, job.engine);
  try {
    const views = await recordViews(dataset, feature, ranker, config.seed);
    const pairs = recordCounted(counters, dataset, until, config.seed);
    await writeRecorded(folder, { views: [...views], counted: pairs });
    const known = await referenceOf(dataset, feature, embeddings?.items ?? null, ranker, config.seed);
    const { items, users: people, counters: state, histories, recorded } = servingFiles;
    const names = [
      ...ranked,
      ...[items, people, state, histories, recorded],
      ...(embeddings === null ? [] : [servingFiles.embeddings]),
      ...(encoder === null ? [] : [servingFiles.encoder]),
      ...(places === null ? [] : [servingFiles.attention]),
    ];
    await writeManifest(folder, names, {
      dataset: { name: dataset.name, hash: dataset.hash },
      until,
      silence: longestSilence(pageViews.time, counted.clicks.time),
      counters: { ...counted.settings },
      items: ids.length,
      users: users.length,
      categories: categories.map(({ name, values }) => ({ name, values: [...values] })),
      numeric: logged.map((name) => {
        const mean =
          exposures.numeric.means.get(name) ?? about.dense.find((each) => each.name === name)?.mean;
        return { name, mean: mean ?? 0, gaps: exposures.numeric.means.has(name) };
      }),
      ranges: rangesOf(
        dataset,
        about.dense.map(({ name }) => name),
      ),
      embeddings: embeddings === null ? null : { dimension: embeddings.items.dimension, encoder },
      photos: { side: images.side, kept: embeddings?.provenance.photosOf?.kept ?? images.form },
      attentionPlaces: places,
      ...known,
      versions: versions(),
    });
  } finally {
    await ranker.release();
  }
}

/** All that was counted before a moment, as the counters say it then. */
function countersAt(until: number, { settings, clicks, shown }: CountedEvents, dataset: Dataset): Counters {
  const counters = new Counters({ categories: dataset.catalogue.categories, ...settings });
  for (const [kind, events] of [
    ['exposure', shown],
    ['click', clicks],
  ] as const) {
    if (events === null) continue;
    for (let place = 0; place < events.time.length && events.time[place]! < until; place++)
      counters.observe({
        kind,
        user: events.user[place]!,
        item: events.item[place]!,
        time: events.time[place]!,
      });
  }
  // What waited to be counted is counted now, and need not be kept one by one.
  counters.describe(0, NONE, until);
  return counters;
}

/** By default all that is there. */
function untilOf({ until }: ExportConfig, { pageViews }: Dataset, { clicks, shown }: CountedEvents): number {
  if (until !== null) return Date.parse(until);
  const last = [pageViews.time, clicks.time, ...(shown === null ? [] : [shown.time])];
  return 1 + Math.ceil(Math.max(...last.map((times) => times.at(-1) ?? 0)));
}

/** Columns that come with the log: what stands behind those of the counters. */
function loggedNames({ exposures: { numeric } }: Dataset, counters: Counters): readonly string[] {
  const names: string[] = [];
  for (let at = counters.names.length; at < numeric.names.length; at++) {
    const name = numeric.names[at]!;
    names.push(name);
    if (numeric.means.has(name)) at++;
  }
  return names;
}

/** @throws CourierError VALUE_INVALID where the ranker wants what the dataset does not have */
function requireFit(
  { layout, dense }: RankerDescription,
  { catalogue, exposures, pageViews }: Dataset,
  counters: Counters,
): void {
  const { names } = exposures.numeric;
  if (counters.names.some((name, place) => names[place] !== name))
    throw unfit('the base features of the dataset are not those of its counters');
  const compare = (what: string, wanted: readonly string[], found: readonly string[]) => {
    if (wanted.join() === found.join()) return;
    throw unfit(`the ranker wants the ${what} ${wanted.join(', ')}, and the dataset has ${found.join(', ')}`);
  };
  compare(
    'categories',
    layout.categories,
    catalogue.categories.map(({ name }) => name),
  );
  compare(
    'context columns',
    layout.context,
    exposures.context.map(({ name }) => name),
  );
  compare('history length', [`${layout.historyLength}`], [`${pageViews.historyLength}`]);
  const missing = dense.find(({ name }) => !names.includes(name));
  if (missing !== undefined) throw unfit(`the ranker wants the base feature ${missing.name}`);
}

/** @throws CourierError VALUE_INVALID for others than the ranker was trained with, and for a ranker that cannot give new items codes */
async function embeddingsOf(
  { embeddings: file }: ExportConfig,
  { visual, layout, files }: RankerDescription,
  dataset: Dataset,
): Promise<KnownEmbeddings | null> {
  if (file === undefined) {
    if (visual.features === null) return null;
    throw new CourierError(
      'CONFIG_INVALID',
      `Invalid export configuration: the ranker takes ${visual.features}, which need \`embeddings\`.`,
      'Name the file of embeddings that the ranker was trained with.',
    );
  }
  const provenance = await readProvenance(file);
  if (visual.embeddings !== null && visual.embeddings.hash !== (await hashEmbeddings(file))) {
    // A ranker goes on with the embeddings of a larger catalogue, if the same model made them.
    const { model } = visual.embeddings;
    if (model === null || provenance.origin?.model !== model)
      throw unfit(`${file} holds other embeddings than the ranker was trained with`);
  }
  if (layout.codes.length > 0 && files.centres === undefined)
    throw unfit('the ranker does not have the centres behind its codes, so that new items would have none');
  return { items: await loadItemEmbeddings(dataset, file), provenance };
}

async function featureOf(
  { about: { visual, layout }, dataset, folder }: Job,
  embeddings: ItemEmbeddings,
): Promise<VisualFeature | null> {
  if (visual.features === null) return null;
  const { dimension, vectors } = embeddings;
  const codes =
    layout.codes.length === 0
      ? []
      : completedCodes(
          codesForCatalogue(await readClusters(join(folder, exportFiles.codes)), dataset.catalogue),
          (await readCentres(join(folder, exportFiles.centres))).centres,
          vectors,
          dimension,
        );
  return createFeature(featureSet(visual.features), dataset, {
    embeddings,
    clusters: codes.filter(({ name }) => name.startsWith('cluster_')),
    semanticIds: codes.filter(({ name }) => name.startsWith('semantic_')),
  });
}

/** @returns names of the files */
async function copyRanker(
  from: string,
  { files }: RankerDescription,
  folder: string,
): Promise<readonly string[]> {
  const { model, ids, table, codes, centres } = exportFiles;
  const names = [
    ...['ranker.json', model, ids, table],
    ...(files.codes === undefined ? [] : [codes]),
    ...(files.centres === undefined ? [] : [centres]),
  ];
  for (const name of names) await copyFile(join(from, name), join(folder, name));
  return names;
}

/** @returns SHA-256 of the encoder, null without one @throws CourierError VALUE_INVALID for one that did not make the embeddings */
async function copyEncoder({ config, dataset, embeddings, folder }: Job): Promise<string | null> {
  if (config.encoder === undefined) return null;
  const file = await readEncoderFile(config.encoder);
  requireSide(file, dataset.images.side);
  if (embeddings?.provenance.origin?.model !== file.hash)
    throw unfit(`${config.encoder} did not make the embeddings, or they do not say so`);
  await copyFile(config.encoder, join(folder, servingFiles.encoder));
  return file.hash;
}

/** @returns history places that it takes, null without it */
async function copyAttention({ config, embeddings, folder }: Job): Promise<number | null> {
  if (config.attention === undefined) return null;
  if (embeddings === null) throw unfit('attention needs embeddings');
  const places = await attentionPlaces(config.attention);
  await copyFile(config.attention, join(folder, servingFiles.attention));
  return places;
}

/** SHA-256 of the pixels of each item's photo; null without one. (N) */
function picturesOf({ catalogue, images }: Dataset): readonly (string | null)[] {
  const pictures = Array.from({ length: images.count }, (_, photo) => pictureHash(images.read([photo])));
  return Array.from(catalogue.photo, (photo) => (photo === NONE ? null : pictures[photo]!));
}

function unfit(problem: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `This cannot be exported: ${problem}.`,
    'Give dataset, ranker, embeddings and encoder of one and the same run, or export the ranker again with `courier rank --export`.',
  );
}

function otherFolder(folder: string): CourierError {
  return new CourierError('OUTPUT_EXISTS', `${folder} is there, and no export.`, 'Choose another `out`.');
}
