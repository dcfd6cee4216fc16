/** Files of a shop → dataset folder: read, checked, counted, photos decoded. */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseConfig } from '../../config.ts';
import { baseFeatures } from '../../data/base-features.ts';
import { candidateFigures, findGivenAway } from '../../data/candidate-figures.ts';
import { encodeCategories } from '../../data/categories.ts';
import { type CategoricalColumn, type IngestReport, NONE, splits } from '../../data/dataset.ts';
import { Findings } from '../../data/findings.ts';
import { buildHistories } from '../../data/history.ts';
import { fingerprintInputs } from '../../data/inputs.ts';
import { type DatasetManifest, dataFiles, manifestName, readManifest } from '../../data/manifest.ts';
import { decodePhotos } from '../../data/photos.ts';
import { sources } from '../../data/sources/index.ts';
import type { OpenSource, SourceData, SourcePageViews } from '../../data/sources/source.ts';
import { type UnsavedDataset, writeDataset } from '../../data/store.ts';
import { CourierError, hasSystemCode } from '../../errors.ts';
import { safePlace, silent, type WorkOptions } from '../../progress.ts';
import { withOutput } from '../../storage/lock.ts';
import { writeFolderWhole } from '../../storage/output-folder.ts';
import { type IngestConfig, type IngestConfigInput, ingestConfig } from './config.ts';

export interface IngestResult {
  /** The dataset folder, as an absolute path. */
  readonly folder: string;
  readonly report: IngestReport;
}

/**
 * Ingests a shop into a dataset folder. The same configuration over the same files gives the same bytes; if
 * they are in `out` already, nothing is done.
 * @throws CourierError CONFIG_INVALID, OUTPUT_EXISTS, OUTPUT_IN_USE, OUTPUT_NOT_WRITABLE, SPLIT_EMPTY, and those of the
 * adapters: FILE_NOT_FOUND, FILE_UNREADABLE, COLUMN_MISSING, LOG_EMPTY, LOG_WITHOUT_CLICKS, TOO_MANY_BAD_ROWS, and VALUE_INVALID
 * for times, labels and ids that cannot be understood, or that do not meet
 */
export async function ingest(settings: IngestConfigInput, options: WorkOptions = {}): Promise<IngestResult> {
  const config = parseConfig(ingestConfig, settings, 'ingest configuration');
  const { out, overwrite, ...identity } = config;
  const source = sources[config.source](config);
  const folder = resolve(out);
  const made = { config: jsonOf(identity), inputs: await fingerprintInputs(await source.inputs()) };
  const known = async () => ((await isDataset(folder)) && !overwrite ? reportOf(folder, made) : null);
  const report = await known();
  if (report !== null) {
    const text = `${folder} is up to date: same configuration, same input files`;
    options.progress?.({ kind: 'note', text });
    return { folder, report };
  }
  return withOutput(folder, async () => {
    // Another process may have been faster, or one that was killed may have left what it was to replace.
    const meanwhile = await known();
    return { folder, report: meanwhile ?? (await write(folder, source, config, made, options)) };
  });
}

/** @throws CourierError OUTPUT_EXISTS when the dataset was made otherwise */
async function reportOf(folder: string, made: DatasetManifest['made']): Promise<IngestReport> {
  const existing = await readManifest(folder);
  if (!isDeepStrictEqual(existing.made, made)) throw outputExists(folder, 'another dataset');
  return existing.content.report;
}

async function write(
  folder: string,
  source: OpenSource,
  config: IngestConfig,
  made: DatasetManifest['made'],
  options: WorkOptions,
): Promise<IngestReport> {
  const manifest = await writeFolderWhole(folder, async (partial) => {
    const data = await readSource(source, config, options);
    const dataset = await assemble(data, config, source.name, partial, options);
    return await writeDataset(partial, dataset, made, options.signal);
  });
  return manifest.content.report;
}

/**
 * True for a dataset folder, false for none or an empty one.
 * @throws CourierError OUTPUT_EXISTS for anything else, which is never replaced
 */
async function isDataset(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((error: unknown): string[] => {
    if (hasSystemCode(error, 'ENOENT')) return [];
    if (hasSystemCode(error, 'ENOTDIR')) throw outputExists(folder, 'a file');
    throw error;
  });
  const ours: readonly string[] = [manifestName, ...Object.values(dataFiles)];
  const foreign = names.find((name) => !ours.includes(name));
  if (foreign !== undefined) throw outputExists(folder, `a folder with other things in it (${foreign})`);
  return names.length > 0;
}

function outputExists(folder: string, what: string): CourierError {
  const remedy =
    what === 'another dataset'
      ? 'Choose another `out`, or set `overwrite` to replace it.'
      : 'Choose another `out`.';
  return new CourierError('OUTPUT_EXISTS', `${folder} is ${what}.`, remedy);
}

/** A configuration as it will be read from a file again. */
function jsonOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

async function readSource(
  source: OpenSource,
  config: IngestConfig,
  { progress = silent, signal }: WorkOptions,
): Promise<SourceData> {
  const stage = 'Read the log';
  progress({ kind: 'start', stage, total: 0, unit: 'rows' });
  const data = await source.read({ seed: config.seed, maxBadRows: config.maxBadRows, signal });
  await safePlace(signal);
  progress({
    kind: 'end',
    stage,
    detail: `${data.clicks.item.length} clicks, ${data.pageViews.user.length} page views`,
  });
  return data;
}

/** Everything that is the same for every shop. Leaves images.bin in the folder. */
async function assemble(
  data: SourceData,
  config: IngestConfig,
  sourceName: string,
  folder: string,
  { progress = silent, signal }: WorkOptions,
): Promise<UnsavedDataset> {
  const { users, items, clicks, shown, counterPeriod, pageViews, exposures } = data;
  const { side, historyLength } = config;
  const findings = new Findings();
  const categories = data.categoryNames.map((name, column) =>
    encodeCategories(
      name,
      items.map((item) => item.categories[column] ?? null),
    ),
  );
  const { item, clicked, numeric: logged } = exposures;
  const features = {
    clicks,
    shown,
    counterPeriod,
    counterLag: 1000 * config.counterLag,
    categories,
    pageViews,
    item,
    numeric: logged,
  };
  const base = baseFeatures(features, findings);
  await safePlace(signal);
  const paths = items.map(({ imagePath }) => imagePath);
  const { photo, count } = await decodePhotos(
    paths,
    side,
    join(folder, dataFiles.images),
    findings,
    progress,
    signal,
  );
  const { user, time, split, start } = pageViews;
  const candidates = candidateFigures(data);
  if (data.candidatesAreSampled) findGivenAway(candidates, findings);
  const history = buildHistories(clicks, pageViews, users.length, historyLength);
  return {
    name: config.name ?? sourceName,
    catalogue: { ids: items.map(({ id }) => id), titles: items.map(({ title }) => title), photo, categories },
    users,
    pageViews: { user, time, split, start, history, historyLength },
    exposures: { item, clicked, ...base, context: contextOfExposures(pageViews) },
    images: { side, count },
    report: {
      counts: countsOf(data, photo, count),
      findings: [...data.findings, ...findings.list()],
      understood: [...data.understood],
      candidateSampling: data.candidateSampling,
      candidates,
    },
  };
}

function contextOfExposures({ context, start }: SourcePageViews): CategoricalColumn[] {
  return context.map(({ codes, ...vocabulary }) => {
    const repeated = new Int32Array(start.at(-1) ?? 0);
    for (const [view, code] of codes.entries()) repeated.fill(code, start[view], start[view + 1]);
    return { ...vocabulary, codes: repeated };
  });
}

function countsOf(data: SourceData, photo: Int32Array, photos: number): Record<string, number> {
  const { clicks, pageViews, exposures, items, users } = data;
  const perSplit = splits.map((split, index) => [
    `page views ${split}`,
    pageViews.split.reduce((sum, each) => sum + (each === index ? 1 : 0), 0),
  ]);
  const withClick = pageViews.user.filter((_, view) =>
    exposures.clicked.subarray(pageViews.start[view], pageViews.start[view + 1]).includes(1),
  );
  return {
    items: items.length,
    'items with photo': photo.filter((row) => row !== NONE).length,
    photos,
    users: users.length,
    clicks: clicks.item.length,
    'page views': pageViews.user.length,
    ...Object.fromEntries(perSplit),
    'page views with a click': withClick.length,
    exposures: exposures.item.length,
  };
}
