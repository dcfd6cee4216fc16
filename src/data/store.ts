/** The dataset folder on disk: Parquet tables, the photos, and dataset.json, which describes them. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { safePlace } from '../progress.ts';
import { hashFile, requireReadable, writeJson } from '../storage/files.ts';
import type { CategoricalColumn, Dataset } from './dataset.ts';
import { ImageCache } from './image-cache.ts';
import {
  type DatasetManifest,
  damaged,
  dataFiles,
  makeManifest,
  manifestName,
  readManifest,
} from './manifest.ts';
import { writeParquet } from './parquet.ts';
import { readParquet } from './parquet-table.ts';
import {
  catalogueFrom,
  exposureColumns,
  exposuresFrom,
  itemColumns,
  pageViewColumns,
  pageViewOf,
  pageViewsFrom,
  requiredTexts,
} from './tables.ts';
import { checkDataset } from './validate.ts';

type FileDescription = DatasetManifest['content']['files']['items'];

/** A dataset whose photos already lie in images.bin of its folder. */
export type UnsavedDataset = Omit<Dataset, 'hash' | 'images'> & {
  readonly images: { readonly side: number; readonly count: number };
};

/**
 * Writes the tables and dataset.json into a folder that holds images.bin.
 * @throws CourierError OUTPUT_NOT_WRITABLE, DATASET_INVALID
 */
export async function writeDataset(
  folder: string,
  dataset: UnsavedDataset,
  made: DatasetManifest['made'],
  signal?: AbortSignal,
): Promise<DatasetManifest> {
  checkDataset(dataset);
  const { catalogue, users, pageViews, exposures, images } = dataset;
  await writeParquet(join(folder, dataFiles.items), itemColumns(catalogue));
  await writeParquet(join(folder, dataFiles.users), [{ name: 'id', type: 'VARCHAR', values: users }]);
  await safePlace(signal);
  await writeParquet(join(folder, dataFiles.pageViews), pageViewColumns(pageViews));
  await safePlace(signal);
  await writeParquet(join(folder, dataFiles.exposures), exposureColumns(exposures, pageViews.start));
  await safePlace(signal);
  const manifest = makeManifest(
    {
      name: dataset.name,
      side: images.side,
      photos: images.count,
      historyLength: pageViews.historyLength,
      numericNames: [...exposures.numericNames],
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
        pageViews: await describeFile(join(folder, dataFiles.pageViews)),
        exposures: await describeFile(join(folder, dataFiles.exposures)),
        images: await describeFile(join(folder, dataFiles.images)),
      },
    },
    made,
  );
  await writeJson(join(folder, manifestName), manifest);
  return manifest;
}

/**
 * Opens a dataset folder and checks it: sizes of all files, hashes of all but images.bin, and every index.
 * The caller closes `images`.
 * @throws CourierError FILE_NOT_FOUND, DATASET_INVALID or FILE_CORRUPT
 */
export async function loadDataset(folder: string): Promise<Dataset> {
  const { hash, content } = await readManifest(folder);
  const { files } = content;
  await checkFile(join(folder, dataFiles.items), files.items, true);
  await checkFile(join(folder, dataFiles.users), files.users, true);
  await checkFile(join(folder, dataFiles.pageViews), files.pageViews, true);
  await checkFile(join(folder, dataFiles.exposures), files.exposures, true);
  await checkFile(join(folder, dataFiles.images), files.images, false);
  const { pageView, exposures } = await readParquet(join(folder, dataFiles.exposures), async (table) => ({
    pageView: await pageViewOf(table),
    exposures: await exposuresFrom(table, content.numericNames, content.context),
  }));
  const parts = {
    catalogue: await readParquet(join(folder, dataFiles.items), (table) =>
      catalogueFrom(table, content.categories),
    ),
    users: await readParquet(join(folder, dataFiles.users), (table) => requiredTexts(table, 'id')),
    pageViews: await readParquet(join(folder, dataFiles.pageViews), (table) =>
      pageViewsFrom(table, pageView, content.historyLength),
    ),
    exposures,
  };
  checkDataset({ ...parts, images: { count: content.photos } });
  const images = ImageCache.open(join(folder, dataFiles.images), content.side, content.photos);
  return { name: content.name, hash, report: content.report, ...parts, images };
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

async function describeFile(path: string): Promise<FileDescription> {
  return { bytes: (await stat(path)).size, sha256: await hashFile(path) };
}

function vocabularyOf({ name, values }: CategoricalColumn): { name: string; values: string[] } {
  return { name, values: [...values] };
}
