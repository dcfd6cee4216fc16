/** The dataset folder on disk: Parquet tables, the photos, and dataset.json, which describes them. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { CourierError } from '../errors.ts';
import { safePlace, silent, type WorkOptions } from '../progress.ts';
import { hashFile, requireReadable, writeJson } from '../storage/files.ts';
import { counted } from '../text.ts';
import { type Clicks, eventsInOrder, type UserEvents } from './clicks.ts';
import type { CounterSettings } from './counters/counters.ts';
import { NumericStore } from './counters/numeric-store.ts';
import {
  type CategoricalColumn,
  type Dataset,
  type Exposures,
  type ExposureTable,
  type PageViews,
  splitAt,
} from './dataset.ts';
import { withDuckDB } from './duckdb/duckdb.ts';
import { writeParquet } from './duckdb/parquet.ts';
import { ParquetTable, readParquet } from './duckdb/parquet-table.ts';
import { clickedRows, clicksOfExposures } from './long-history.ts';
import {
  type DatasetManifest,
  damaged,
  dataFiles,
  type ManifestContent,
  makeManifest,
  manifestName,
  partFiles,
  readManifest,
} from './manifest.ts';
import { type Part, partsOf } from './parts.ts';
import { ImageCache } from './photos/image-cache.ts';
import type { PhotoIndex } from './photos/photo-index.ts';
import { plainJpegDecoder } from './photos/plain-jpeg.ts';
import {
  catalogueFrom,
  eventColumns,
  exposureColumns,
  indexColumns,
  indexFrom,
  itemColumns,
  pageViewColumns,
  readClickTimes,
  readEvents,
  readExposures,
  readFeatures,
  readPageViews,
  readPlaces,
  requiredTexts,
  startsFrom,
} from './tables.ts';
import { checkDataset, invalid } from './validate.ts';

type FileDescription = ManifestContent['files']['items'];
type PartDescription = ManifestContent['parts'][number];

/** Base features in the order of time, some page views at a time. */
export interface NumericSource {
  readonly names: readonly string[];
  /** Columns of the exposures of each part, NaN where missing, until those of the part after the next are asked for. (F) */
  columnsOf(parts: readonly Part[], signal: AbortSignal | undefined): AsyncIterable<readonly Float32Array[]>;
  /** Those of which a value was missing so far. */
  readonly missing: ReadonlySet<string>;
}

/** What base features were counted from, and how. */
export interface CountedEvents {
  readonly settings: CounterSettings;
  readonly clicks: UserEvents;
  /** null where it is not known, and `settings` are without exposures. */
  readonly shown: UserEvents | null;
}

/** A dataset whose photos already lie in images.bin of its folder. */
export type UnsavedDataset = Omit<Dataset, 'hash' | 'images' | 'exposures' | 'clicks'> & {
  readonly exposures: ExposureTable;
  readonly numeric: NumericSource;
  readonly counted: CountedEvents;
  /** `index`: null where they are kept as pixels. */
  readonly images: { readonly side: number; readonly count: number; readonly index: PhotoIndex | null };
};

/** Parts that a folder has already: what is written comes after them. */
export interface WrittenParts {
  /** Logs that they are of. */
  readonly logs: number;
  readonly parts: readonly PartDescription[];
  /** Page views in them. */
  readonly views: number;
  /** Base features of which a value is missing in them. */
  readonly missing: readonly string[];
}

/**
 * Writes the tables and dataset.json into a folder that holds images.bin.
 * @throws CourierError OUTPUT_NOT_WRITABLE, DATASET_INVALID
 */
export async function writeDataset(
  folder: string,
  dataset: UnsavedDataset,
  made: DatasetManifest['made'],
  options: WorkOptions = {},
  before: WrittenParts = { logs: 0, parts: [], views: 0, missing: [] },
): Promise<DatasetManifest> {
  checkDataset(dataset);
  const { catalogue, users, pageViews, exposures, images, numeric, counted: events } = dataset;
  await writeParquet(join(folder, dataFiles.items), itemColumns(catalogue));
  await writeParquet(join(folder, dataFiles.users), [{ name: 'id', type: 'VARCHAR', values: users }]);
  if (images.index !== null) await writeParquet(join(folder, dataFiles.photos), indexColumns(images.index));
  const drawn = exposures.logged === null;
  if (drawn) await writeParquet(join(folder, dataFiles.events), eventColumns(events));
  await safePlace(options.signal);
  const parts = await writeParts(folder, dataset, before, options);
  const manifest = makeManifest(
    {
      name: dataset.name,
      side: images.side,
      photos: images.count,
      historyLength: pageViews.historyLength,
      numericNames: [...numeric.names],
      missing: numeric.names.filter((name) => numeric.missing.has(name) || before.missing.includes(name)),
      splitTimes: dataset.splitTimes,
      logged: !drawn,
      counters: { ...events.settings },
      categories: catalogue.categories.map(vocabularyOf),
      context: exposures.context.map(vocabularyOf),
      report: {
        counts: { ...dataset.report.counts },
        findings: dataset.report.findings.map((finding) => ({ ...finding, examples: [...finding.examples] })),
        understood: [...dataset.report.understood],
        candidateSampling: dataset.report.candidateSampling,
        candidates: [...dataset.report.candidates],
      },
      files: {
        items: await describeFile(join(folder, dataFiles.items)),
        users: await describeFile(join(folder, dataFiles.users)),
        images: await describeFile(join(folder, dataFiles.images)),
        ...(images.index === null ? {} : { photos: await describeFile(join(folder, dataFiles.photos)) }),
        ...(drawn ? { events: await describeFile(join(folder, dataFiles.events)) } : {}),
      },
      parts: [...before.parts, ...parts],
    },
    made,
  );
  await writeJson(join(folder, manifestName), manifest);
  return manifest;
}

/** Ends when all have, with the first error: none is at work on a folder that is given up. */
async function allSettled(works: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(works))
    if (outcome.status === 'rejected') throw outcome.reason;
}

/** One part is written while the features of the next are computed. */
async function writeParts(
  folder: string,
  { pageViews, exposures, numeric }: UnsavedDataset,
  before: WrittenParts,
  { progress = silent, signal }: WorkOptions,
): Promise<PartDescription[]> {
  const stage = 'Count and write';
  progress({ kind: 'start', stage, total: exposures.item.length, unit: 'exposures' });
  const described: PartDescription[] = [];
  let writing: Promise<unknown> = Promise.resolve();
  try {
    const parts = partsOf(pageViews.time, pageViews.start);
    let place = 0;
    for await (const columns of numeric.columnsOf(parts, signal)) {
      await writing;
      await safePlace(signal);
      const part = parts[place]!;
      writing = writePart(folder, before.parts.length + place++, part, columns).then((each) => {
        described.push(each);
        progress({ kind: 'advance', stage, done: pageViews.start[part.to]! });
      });
      // Its error is heard when its turn comes.
      writing.catch(() => {});
    }
  } finally {
    await writing;
  }
  progress({ kind: 'end', stage, detail: counted(exposures.item.length, 'exposures') });
  return described;

  async function writePart(
    into: string,
    number: number,
    part: Part,
    columns: readonly Float32Array[],
  ): Promise<PartDescription> {
    const { start } = pageViews;
    const names = partFiles(number);
    const place = { firstView: before.views, log: before.logs };
    await allSettled([
      writeParquet(join(into, names.pageViews), pageViewColumns(pageViews, part)),
      writeParquet(
        join(into, names.exposures),
        exposureColumns(exposures, start, part, numeric.names, columns, place),
      ),
    ]);
    return {
      views: part.to - part.from,
      rows: start[part.to]! - start[part.from]!,
      pageViews: await describeFile(join(into, names.pageViews)),
      exposures: await describeFile(join(into, names.exposures)),
    };
  }
}

/**
 * Opens a dataset folder and checks it: sizes of all files, hashes of all but images.bin, and every index.
 * The caller closes it with `closeDataset`.
 * @param inMemory bytes of base features that may lie in memory: more of them lie in a file
 * @throws CourierError FILE_NOT_FOUND, DATASET_INVALID or FILE_CORRUPT
 */
export async function loadDataset(folder: string, inMemory?: number): Promise<Dataset> {
  const { hash, content } = await readManifest(folder);
  await checkFiles(folder, content);
  const tables = await loadTables(folder, content);
  const { pageViews } = tables;
  const { exposures, clicks } = await withParts(folder, content, async (parts) => ({
    clicks: await loadClicks(parts, content, tables),
    exposures: await loadExposures(folder, parts, content, tables, inMemory),
  }));
  const { splitTimes } = content;
  const checked = { catalogue: tables.catalogue, users: tables.users, pageViews, splitTimes };
  try {
    checkDataset({
      ...checked,
      exposures: { ...exposures, logged: null },
      images: { count: content.photos },
    });
    const images = await openImages(folder, content);
    return { name: content.name, hash, report: content.report, ...checked, exposures, clicks, images };
  } catch (error) {
    exposures.numeric.close();
    throw error;
  }
}

async function openImages(folder: string, content: ManifestContent): Promise<ImageCache> {
  const index = await loadPhotoIndex(folder, content);
  const encoded = index === null ? null : { index, decode: await plainJpegDecoder() };
  return ImageCache.open(join(folder, dataFiles.images), content.side, content.photos, encoded);
}

/**
 * Where the photos of a dataset lie.
 * @returns null where they are kept as pixels
 * @throws CourierError of loadDataset
 */
export async function loadPhotoIndex(
  folder: string,
  { files, photos }: ManifestContent,
): Promise<PhotoIndex | null> {
  if (files.photos === undefined) return null;
  return readParquet(join(folder, dataFiles.photos), (table) => indexFrom(table, photos));
}

/** Closes what a dataset reads from while it is open. */
export function closeDataset({ images, exposures }: Pick<Dataset, 'images' | 'exposures'>): void {
  images.close();
  exposures.numeric.close();
}

/** Sizes of all files, hashes of all but images.bin. @throws CourierError FILE_NOT_FOUND, FILE_CORRUPT */
async function checkFiles(folder: string, { files, parts }: ManifestContent): Promise<void> {
  await checkFile(join(folder, dataFiles.items), files.items, true);
  await checkFile(join(folder, dataFiles.users), files.users, true);
  for (const [number, part] of parts.entries()) {
    const names = partFiles(number);
    await checkFile(join(folder, names.pageViews), part.pageViews, true);
    await checkFile(join(folder, names.exposures), part.exposures, true);
  }
  await checkFile(join(folder, dataFiles.images), files.images, false);
  if (files.photos !== undefined) await checkFile(join(folder, dataFiles.photos), files.photos, true);
  if (files.events !== undefined) await checkFile(join(folder, dataFiles.events), files.events, true);
}

/** The tables of a dataset without its base features and contexts. */
export interface LoadedTables extends Pick<Dataset, 'catalogue' | 'users' | 'pageViews'> {
  readonly exposures: Pick<ExposureTable, 'item' | 'clicked' | 'logged'>;
}

/**
 * Opens what an append needs of a dataset folder: everything but base features, contexts and photos.
 * @throws CourierError of loadDataset
 */
export async function loadLoggedTables(folder: string): Promise<LoadedTables> {
  const { content } = await readManifest(folder);
  await checkFiles(folder, content);
  return loadTables(folder, content, content.logged);
}

/**
 * What the base features of a dataset were counted from, of which the same counters can be made again.
 * @throws CourierError of loadDataset; DATASET_INVALID for one that does not say how it was counted
 */
export async function loadCountedEvents(folder: string): Promise<CountedEvents> {
  const { content } = await readManifest(folder);
  await checkFiles(folder, content);
  const { counters: settings } = content;
  if (settings === undefined) throw uncounted(folder);
  if (content.files.events === undefined) {
    const { shown, clicks } = eventsOfLogged(await loadTables(folder, content, true));
    return { settings, clicks, shown: settings.withExposures ? shown : null };
  }
  const { users, catalogue } = await loadTables(folder, content);
  const path = join(folder, dataFiles.events);
  const events = await readParquet(path, (table) => readEvents(table, users.length, catalogue.ids.length));
  return { settings, ...events };
}

/** What was shown and clicked in a dataset that knows the times of its exposures. */
export function eventsOfLogged({ pageViews, exposures }: LoadedTables): {
  readonly shown: UserEvents;
  readonly clicks: UserEvents;
} {
  const { item, clicked, logged } = exposures;
  if (logged === null) throw new Error('Exposures that were drawn have no times.');
  const { time, clickedAt } = logged;
  const user = new Int32Array(item.length);
  for (let view = 0; view < pageViews.user.length; view++)
    user.fill(pageViews.user[view]!, pageViews.start[view], pageViews.start[view + 1]);
  const rows = clickedRows({ clicked });
  return {
    shown: eventsInOrder(user, item, time),
    clicks: clicksOfExposures(
      pageViews,
      exposures,
      rows,
      Float64Array.from(rows, (row) => clickedAt[row]!),
    ),
  };
}

/**
 * Of each exposure the log that it came with, and its row there; null where candidates were drawn.
 * @throws CourierError of loadDataset
 */
export async function readLogRows(
  folder: string,
): Promise<{ readonly log: Int32Array; readonly row: BigInt64Array } | null> {
  const { content } = await readManifest(folder);
  if (!content.logged) return null;
  const rows = content.parts.reduce((sum, part) => sum + part.rows, 0);
  const found = { log: new Int32Array(rows), row: new BigInt64Array(rows) };
  await withParts(folder, content, async (parts) => {
    for (const { exposures, offsets } of parts) await readPlaces(exposures, found, offsets);
  });
  return found;
}

async function loadTables(
  folder: string,
  content: ManifestContent,
  withLogged = false,
): Promise<LoadedTables> {
  const views = content.parts.reduce((sum, part) => sum + part.views, 0);
  const rows = content.parts.reduce((sum, part) => sum + part.rows, 0);
  const { historyLength, splitTimes } = content;
  const paged = {
    user: new Int32Array(views),
    time: new Float64Array(views),
    history: new Int32Array(views * historyLength),
    historyLength,
  };
  const shown = {
    item: new Int32Array(rows),
    clicked: new Uint8Array(rows),
    pageView: new Int32Array(rows),
  };
  const doubles = () => new Float64Array(rows);
  const logged = withLogged ? { row: doubles(), time: doubles(), clickedAt: doubles() } : null;
  await withParts(folder, content, async (parts) => {
    for (const { offsets, pageViews, exposures } of parts) {
      await readPageViews(pageViews, paged, offsets);
      await readExposures(exposures, shown, logged, offsets);
    }
  });
  const pageViews: PageViews = {
    ...paged,
    split: Uint8Array.from(paged.time, (time) => splitAt(time, splitTimes)),
    start: startsFrom(shown.pageView, views),
  };
  return {
    catalogue: await readParquet(join(folder, dataFiles.items), (table) =>
      catalogueFrom(table, content.categories),
    ),
    users: await readParquet(join(folder, dataFiles.users), (table) => requiredTexts(table, 'id')),
    pageViews,
    exposures: { item: shown.item, clicked: shown.clicked, logged },
  };
}

interface OpenPart {
  readonly offsets: { readonly view: number; readonly row: number };
  readonly pageViews: ParquetTable;
  readonly exposures: ParquetTable;
}

/** @throws CourierError FILE_CORRUPT where a part has other rows than the manifest says */
async function withParts<T>(
  folder: string,
  { parts }: ManifestContent,
  task: (parts: readonly OpenPart[]) => Promise<T>,
): Promise<T> {
  return withDuckDB([folder], async (connection) => {
    const open: OpenPart[] = [];
    let [view, row] = [0, 0];
    for (const [number, part] of parts.entries()) {
      const names = partFiles(number);
      const pageViews = await openPart(connection, join(folder, names.pageViews), part.views);
      const exposures = await openPart(connection, join(folder, names.exposures), part.rows);
      open.push({ offsets: { view, row }, pageViews, exposures });
      [view, row] = [view + part.views, row + part.rows];
    }
    return task(open);
  });
}

async function openPart(connection: DuckDBConnection, path: string, rows: number): Promise<ParquetTable> {
  const table = await ParquetTable.open(path, connection);
  if (table.rowCount !== rows) throw damaged(path, `it has ${table.rowCount} rows instead of ${rows}`);
  return table;
}

/** Clicks at their own time, where exposures were logged with it. */
async function loadClicks(
  parts: readonly OpenPart[],
  { logged }: ManifestContent,
  { pageViews, exposures }: LoadedTables,
): Promise<Clicks> {
  const rows = clickedRows(exposures);
  const clickedAt = logged ? new Float64Array(rows.length) : null;
  if (clickedAt !== null)
    for (const { exposures: table, offsets } of parts) await readClickTimes(table, rows, clickedAt, offsets);
  return clicksOfExposures(pageViews, exposures, rows, clickedAt);
}

async function loadExposures(
  folder: string,
  parts: readonly OpenPart[],
  { numericNames, missing, context: vocabularies }: ManifestContent,
  { pageViews, exposures }: LoadedTables,
  inMemory: number | undefined,
): Promise<Exposures> {
  const { item, clicked } = exposures;
  const context = vocabularies.map(({ name, values }): CategoricalColumn => {
    return { name, values, codes: new Int32Array(item.length) };
  });
  const store = new NumericStore(numericNames, missing, item.length, folder, inMemory);
  try {
    const write = store.write.bind(store);
    for (const { exposures: table, offsets } of parts)
      await readFeatures(table, numericNames, write, context, offsets);
    // Page views of training come first.
    const training = pageViews.start[pageViews.split.filter((split) => split === 0).length]!;
    const numeric = store.complete(training);
    if (numeric === null) throw invalid('a numeric feature is not finite');
    return { item, clicked, numeric, context };
  } catch (error) {
    store.close();
    throw error;
  }
}

async function checkFile(
  path: string,
  { bytes, sha256 }: FileDescription,
  checkHash: boolean,
): Promise<void> {
  await requireReadable(path, 'Part of the dataset');
  const { size } = await stat(path);
  if (size !== bytes) throw damaged(path, `it has ${size} bytes instead of ${bytes}`);
  if (checkHash && (await hashFile(path)) !== sha256) throw damaged(path, 'its hash does not fit');
}

function uncounted(folder: string): CourierError {
  return new CourierError(
    'DATASET_INVALID',
    `${folder} does not say how its base features were counted: an earlier version of courier made it.`,
    'Ingest it again with overwrite.',
  );
}

async function describeFile(path: string): Promise<FileDescription> {
  return { bytes: (await stat(path)).size, sha256: await hashFile(path) };
}

function vocabularyOf({ name, values }: CategoricalColumn): { name: string; values: string[] } {
  return { name, values: [...values] };
}
