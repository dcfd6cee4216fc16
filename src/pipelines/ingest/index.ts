/** Files of a shop → dataset folder: read, checked, counted, photos decoded. */
import { constants } from 'node:fs';
import { copyFile, link, mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { doErrands, endErrands } from '../../collectives/errands.ts';
import type { ProcessGroup } from '../../collectives/process-group.ts';
import { processGroup } from '../../collectives/world.ts';
import { parseConfig } from '../../config.ts';
import { countingErrand } from '../../data/counters/shares/counting-together.ts';
import type { IngestReport } from '../../data/dataset.ts';
import { fingerprintInputs } from '../../data/inputs.ts';
import {
  type DatasetManifest,
  dataFiles,
  isDatasetFile,
  partFiles,
  readManifest,
} from '../../data/manifest.ts';
import { decodingErrand } from '../../data/photos/shared-photos.ts';
import { sources } from '../../data/sources/index.ts';
import type { OpenSource, SourceContext, SourceData } from '../../data/sources/source.ts';
import { loadLoggedTables, loadPhotoIndex, writeDataset } from '../../data/store.ts';
import { CourierError, hasSystemCode } from '../../errors.ts';
import { safePlace, silent, type WorkOptions } from '../../progress.ts';
import { differences } from '../../runs/differences.ts';
import { withOutput } from '../../storage/lock.ts';
import { writeFolderWhole } from '../../storage/output-folder.ts';
import { counted } from '../../text.ts';
import { assemble, type Before } from './assemble.ts';
import { type IngestConfig, type IngestConfigInput, ingestConfig } from './config.ts';

export interface IngestResult {
  /** The dataset folder, as an absolute path. */
  readonly folder: string;
  readonly report: IngestReport;
}

/**
 * Ingests a shop into a dataset folder. The same configuration over the same files gives the same bytes; if
 * they are in `out` already, nothing is done. Processes that mpirun started together share the decoding of photos and the counters.
 * With `append` the log holds what came after the dataset in `out`, whose parts stay as they are; where there is none yet, it is made.
 * @throws CourierError CONFIG_INVALID, OUTPUT_EXISTS, OUTPUT_IN_USE, OUTPUT_NOT_WRITABLE, SPLIT_EMPTY, and those of the
 * adapters: FILE_NOT_FOUND, FILE_UNREADABLE, COLUMN_MISSING, LOG_EMPTY, LOG_WITHOUT_CLICKS, TOO_MANY_BAD_ROWS, and VALUE_INVALID
 * for times, labels and ids that cannot be understood, or that do not meet, and for a log that begins before what it is appended to
 */
export async function ingest(settings: IngestConfigInput, options: WorkOptions = {}): Promise<IngestResult> {
  const group = await processGroup();
  if (group.rank > 0) return doErrands(group, [decodingErrand, countingErrand]);
  return endErrands(group, await ingestWith(group, settings, options));
}

async function ingestWith(
  group: ProcessGroup,
  settings: IngestConfigInput,
  options: WorkOptions,
): Promise<IngestResult> {
  const config = parseConfig(ingestConfig, settings, 'ingest configuration');
  const { out, overwrite, append, ...identity } = config;
  const source = sources[config.source](config);
  const folder = resolve(out);
  const inputs = await fingerprintInputs(await source.inputs());
  const made: Made = { config: jsonOf(identity), inputs, appended: [] };
  const known = async (): Promise<IngestReport | null> => {
    const isThere = await isDataset(folder);
    if (overwrite || !isThere) return null;
    const { made: before, content } = await readManifest(folder);
    if (append && isSameShop(before, made))
      return [before.inputs, ...before.appended].includes(inputs) ? content.report : null;
    if (!isDeepStrictEqual(before, made)) throw otherDataset(folder, before, made, append);
    return content.report;
  };
  const report = await known();
  if (report !== null) {
    const text = append
      ? `${folder} has this log already`
      : `${folder} is up to date: same configuration, same input files`;
    options.progress?.({ kind: 'note', text });
    return { folder, report };
  }
  return withOutput(folder, async () => {
    // Another process may have been faster, or one that was killed may have left what it was to replace.
    const meanwhile = await known();
    if (meanwhile !== null) return { folder, report: meanwhile };
    const appends = append && !overwrite && (await isDataset(folder));
    const write = appends ? appendTo : writeNew;
    return { folder, report: await write(folder, source, config, made, options, group) };
  });
}

type Made = DatasetManifest['made'];

/** Whether two datasets differ in their log alone. */
function isSameShop(before: Made, made: Made): boolean {
  return isDeepStrictEqual(withoutLog(before.config), withoutLog(made.config));
}

function withoutLog(config: unknown): unknown {
  const withoutPath = (key: string, value: unknown): unknown => (key === 'path' ? undefined : value);
  return JSON.parse(JSON.stringify(config, withoutPath));
}

async function writeNew(
  folder: string,
  source: OpenSource,
  config: IngestConfig,
  made: Made,
  options: WorkOptions,
  group: ProcessGroup,
): Promise<IngestReport> {
  const manifest = await writeFolderWhole(folder, async (partial) => {
    return await withScratch(partial, async (scratch) => {
      const data = await readSource(source, config, { scratch }, options);
      const dataset = await assemble(data, config, source.name, partial, null, options, group);
      return await writeDataset(partial, dataset, made, options);
    });
  });
  return manifest.content.report;
}

/** What is there is linked into the new folder, not written again; photos come after those that there are. */
async function appendTo(
  folder: string,
  source: OpenSource,
  config: IngestConfig,
  made: Made,
  options: WorkOptions,
  group: ProcessGroup,
): Promise<IngestReport> {
  const { content, made: first } = await readManifest(folder);
  if (!content.logged) throw cannotAppend(content.report.candidateSampling);
  const tables = await loadLoggedTables(folder);
  const before: Before = {
    ...tables,
    context: content.context,
    photos: { count: content.photos, index: await loadPhotoIndex(folder, content) },
    report: content.report,
  };
  const manifest = await writeFolderWhole(folder, (partial) =>
    withScratch(partial, async (scratch) => {
      const ids = { users: tables.users, items: tables.catalogue.ids };
      const data = await readSource(source, config, { scratch, before: ids }, options);
      requireLater(data, before);
      for (const number of content.parts.keys()) {
        for (const name of Object.values(partFiles(number)))
          await share(join(folder, name), join(partial, name));
      }
      const images = join(partial, dataFiles.images);
      await copyFile(join(folder, dataFiles.images), images, constants.COPYFILE_FICLONE);
      const dataset = await assemble(data, config, content.name, partial, before, options, group);
      const appended = [...first.appended, made.inputs];
      const written = {
        logs: appended.length,
        parts: content.parts,
        missing: content.missing,
        views: tables.pageViews.user.length,
      };
      return await writeDataset(partial, dataset, { ...first, appended }, options, written);
    }),
  );
  return manifest.content.report;
}

/** A folder for what has to wait, in the folder that is being made: if this process is killed, the next run clears it. */
async function withScratch<T>(partial: string, task: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = join(partial, 'scratch');
  await mkdir(scratch);
  try {
    return await task(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A second name for a file that is never changed; a copy where the file system has no such thing. */
async function share(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to, constants.COPYFILE_FICLONE));
}

/** @throws CourierError VALUE_INVALID where the log begins before the end of what is there */
function requireLater({ pageViews }: SourceData, before: Before): void {
  const [first = Number.POSITIVE_INFINITY] = pageViews.time;
  const last = before.pageViews.time.at(-1) ?? Number.NEGATIVE_INFINITY;
  if (first >= last) return;
  const text = (time: number) => new Date(time).toISOString().slice(0, 19).replace('T', ' ');
  throw new CourierError(
    'VALUE_INVALID',
    `The log to append begins at ${text(first)}, before the last page view of the dataset at ${text(last)} UTC.`,
    'Give only what came later, such as the file of the new day; or make the dataset anew of all of it, with overwrite.',
  );
}

function cannotAppend(sampling: string): CourierError {
  return new CourierError(
    'CONFIG_INVALID',
    `Nothing can be appended to a dataset whose candidates were drawn (${sampling}).`,
    'Make it anew of the whole log, with overwrite: what came later changes which candidates are drawn.',
  );
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
  const foreign = names.find((name) => !isDatasetFile(name));
  if (foreign !== undefined) throw outputExists(folder, `a folder with other things in it (${foreign})`);
  return names.length > 0;
}

/** Says what differs, since it is often a setting that was forgotten. */
function otherDataset(folder: string, before: Made, made: Made, append: boolean): CourierError {
  const settings = differences(before.config, made.config).filter((name) => !append || !/path$/.test(name));
  const differs =
    settings.length > 0
      ? `other settings: ${settings.join(', ')}`
      : before.appended.length > 0
        ? 'logs that were appended to it'
        : 'other input files, or files that changed since';
  return new CourierError(
    'OUTPUT_EXISTS',
    `${folder} is another dataset, of ${differs}.`,
    append
      ? 'Append with the settings that the dataset was made with, or choose another `out`.'
      : 'Choose another `out`, or set `overwrite` to replace it.',
  );
}

function outputExists(folder: string, what: string): CourierError {
  return new CourierError('OUTPUT_EXISTS', `${folder} is ${what}.`, 'Choose another `out`.');
}

/** A configuration as it will be read from a file again. */
function jsonOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

async function readSource(
  source: OpenSource,
  config: IngestConfig,
  place: Pick<SourceContext, 'before' | 'scratch'>,
  { progress = silent, signal }: WorkOptions,
): Promise<SourceData> {
  const stage = 'Read the log';
  progress({ kind: 'start', stage, total: 0, unit: 'rows' });
  const data = await source.read({
    seed: config.seed,
    maxBadRows: config.maxBadRows,
    historyLength: config.historyLength,
    signal,
    ...place,
  });
  await safePlace(signal);
  progress({
    kind: 'end',
    stage,
    detail: `${counted(data.clicks.item.length, 'clicks')}, ${counted(data.pageViews.user.length, 'page views')}`,
  });
  return data;
}
