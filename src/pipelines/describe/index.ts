/** What a dataset holds, as figures and pictures: to be read before any table made of it. */
import { join } from 'node:path';
import { parseConfig } from '../../config.ts';
import { type Dataset, NONE, splits } from '../../data/dataset.ts';
import { closeDataset, loadDataset, loadLoggedTables } from '../../data/store.ts';
import { photoOf } from '../../evaluation/examples.ts';
import type { WorkOptions } from '../../progress.ts';
import { dataPage } from '../../report/data-page.ts';
import type { DataReport, Rate, RatedPhoto } from '../../report/data-report.ts';
import { checkFinite } from '../../report/write.ts';
import { writeFileWhole, writeJson } from '../../storage/files.ts';
import { withOutputFolder } from '../../storage/lock.ts';
import { type DescribeConfig, type DescribeConfigInput, describeConfig } from './config.ts';
import { leakChecks } from './leaks.ts';
import { daysOf, familiesOf, heavyUsersOf, itemsByRate } from './rates.ts';

export const dataReportFiles = { json: 'data.json', html: 'data.html' } as const;

export interface Description {
  /** Paths of the files written. */
  readonly json: string;
  readonly html: string;
  readonly report: DataReport;
}

/**
 * Describes a dataset: what was shown and clicked, when, where and by whom, how well it meets the photos, and what in it would
 * give answers away. Writes data.json and data.html into the folder.
 * @throws CourierError CONFIG_INVALID, FILE_NOT_FOUND, FILE_CORRUPT, DATASET_INVALID, OUTPUT_IN_USE, OUTPUT_NOT_WRITABLE
 */
export async function describe(
  settings: DescribeConfigInput,
  options: WorkOptions = {},
): Promise<Description> {
  const config = parseConfig(describeConfig, settings, 'describe configuration');
  const dataset = await loadDataset(config.dataset);
  try {
    const report = await reportOn(dataset, config, options);
    checkFinite(report, 'report');
    const path = (name: string) => join(config.out, name);
    const written = { json: path(dataReportFiles.json), html: path(dataReportFiles.html) };
    return await withOutputFolder(config.out, async () => {
      await writeJson(written.json, withoutPictures(report));
      await writeFileWhole(written.html, dataPage(report));
      return { ...written, report };
    });
  } finally {
    closeDataset(dataset);
  }
}

async function reportOn(
  dataset: Dataset,
  config: DescribeConfig,
  { command = 'called as a library' }: WorkOptions,
): Promise<DataReport> {
  const { pageViews, exposures, splitTimes, catalogue } = dataset;
  const iso = (time: number) => new Date(time).toISOString();
  const { logged } = (await loadLoggedTables(config.dataset)).exposures;
  const clicks = exposures.clicked.reduce((sum, clicked) => sum + clicked, 0);
  const hasPhoto = (row: number) => catalogue.photo[exposures.item[row]!] !== NONE;
  let [shown, clicked] = [0, 0];
  for (let row = 0; row < exposures.item.length; row++) {
    if (!hasPhoto(row)) continue;
    shown++;
    clicked += exposures.clicked[row]!;
  }
  const items = itemsByRate(dataset, config.photoExposures);
  const most = Math.min(config.photos, items.length >> 1);
  return {
    dataset: dataset.name,
    datasetHash: dataset.hash,
    command,
    startedAt: new Date().toISOString(),
    ingest: dataset.report,
    period: {
      first: iso(pageViews.time[0]!),
      last: iso(pageViews.time.at(-1)!),
      validationFrom: iso(splitTimes.validationFrom),
      testFrom: iso(splitTimes.testFrom),
    },
    clickRate: clicks / exposures.item.length,
    days: daysOf(dataset),
    families: familiesOf(dataset, config.values),
    histories: historiesOf(dataset),
    withPhoto: { exposures: shown / exposures.item.length, clicks: clicks === 0 ? 0 : clicked / clicks },
    heavyUsers: heavyUsersOf(dataset),
    leaks: leakChecks(dataset, logged),
    mostClicked: await photosOf(dataset, items.slice(0, most)),
    leastClicked: await photosOf(dataset, items.slice(items.length - most).reverse()),
  };
}

function photosOf(dataset: Dataset, rates: readonly Rate[]): Promise<RatedPhoto[]> {
  return Promise.all(
    rates.map(async ({ label, exposures, clicks }) => {
      return { photo: await photoOf(dataset, Number(label)), exposures, clicks };
    }),
  );
}

function historiesOf({ pageViews }: Dataset): DataReport['histories'] {
  const { split, history, historyLength } = pageViews;
  return splits.map((name, index) => {
    const counts = new Float64Array(historyLength + 1);
    for (let view = 0; view < split.length; view++) {
      if (split[view] !== index) continue;
      let length = 0;
      while (length < historyLength && history[view * historyLength + length] !== NONE) length++;
      counts[length]! += 1;
    }
    const total = counts.reduce((sum, count) => sum + count, 0);
    return { split: name, shares: Array.from(counts, (count) => count / Math.max(1, total)) };
  });
}

/** A report for programs: photos are named by item id. */
function withoutPictures({ mostClicked, leastClicked, ...rest }: DataReport) {
  const named = ({ photo, exposures, clicks }: RatedPhoto) => ({
    item: photo.item,
    title: photo.title,
    exposures,
    clicks,
  });
  return { ...rest, mostClicked: mostClicked.map(named), leastClicked: leastClicked.map(named) };
}
