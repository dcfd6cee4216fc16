/** What has to hold in a dataset, whoever made it: no index out of range, no order broken, no number lost. */
import { CourierError } from '../errors.ts';
import {
  type CategoricalColumn,
  type Dataset,
  type ExposureTable,
  NONE,
  type SplitTimes,
  splitAt,
} from './dataset.ts';
import { Indexer } from './indexer.ts';

type Checked = Pick<Dataset, 'catalogue' | 'users' | 'pageViews' | 'splitTimes'> & {
  readonly exposures: ExposureTable;
  readonly images: { readonly count: number };
};

/** @throws CourierError DATASET_INVALID naming the first thing that does not hold */
export function checkDataset(checked: Checked): void {
  const { catalogue, users, pageViews, splitTimes, exposures, images } = checked;
  const itemCount = catalogue.ids.length;
  const viewCount = pageViews.user.length;
  const rowCount = exposures.item.length;
  requireUnique(catalogue.ids, 'item id');
  requireUnique(users, 'user');
  requireLength(catalogue.titles, itemCount, 'title');
  requireIndices(catalogue.photo, itemCount, NONE, images.count, 'photo');
  for (const column of catalogue.categories) requireCodes(column, itemCount);
  requireIndices(pageViews.user, viewCount, 0, users.length, 'user of a page view');
  requireAscending(pageViews.time, viewCount);
  requireSplits(pageViews, splitTimes);
  requireIndices(pageViews.history, viewCount * pageViews.historyLength, NONE, itemCount, 'history');
  requireStarts(pageViews.start, viewCount, rowCount);
  requireIndices(exposures.item, rowCount, 0, itemCount, 'item of an exposure');
  requireIndices(exposures.clicked, rowCount, 0, 2, 'clicked');
  for (const column of exposures.context) requireCodes(column, rowCount);
}

export function invalid(problem: string): CourierError {
  return new CourierError(
    'DATASET_INVALID',
    `The dataset cannot be used: ${problem}.`,
    'Ingest it again with overwrite; if it persists, report it with the ingest configuration.',
  );
}

function requireLength(values: ArrayLike<unknown>, length: number, name: string): void {
  if (values.length !== length) throw invalid(`${name} has ${values.length} values instead of ${length}`);
}

function requireIndices(
  values: ArrayLike<number>,
  length: number,
  from: number,
  end: number,
  name: string,
): void {
  requireLength(values, length, name);
  for (let index = 0; index < length; index++) {
    const value = values[index]!;
    if (Number.isInteger(value) && value >= from && value < end) continue;
    throw invalid(`${name} ${index} is ${value}, outside ${from} … ${end - 1}`);
  }
}

function requireCodes({ name, values, codes }: CategoricalColumn, length: number): void {
  requireIndices(codes, length, 0, values.length, name);
}

function requireUnique(ids: readonly string[], name: string): void {
  const known = new Indexer();
  for (const id of ids) known.indexOf(id);
  if (known.ids.length !== ids.length) throw invalid(`an ${name} occurs twice`);
}

function requireSplits({ split, time }: Dataset['pageViews'], splitTimes: SplitTimes): void {
  requireLength(split, time.length, 'split');
  for (let view = 0; view < time.length; view++) {
    if (split[view] !== splitAt(time[view]!, splitTimes))
      throw invalid(`page view ${view} is of split ${split[view]}, which its time is not`);
  }
}

function requireAscending(times: Float64Array, length: number): void {
  requireLength(times, length, 'time');
  for (let index = 0; index < length; index++) {
    const time = times[index]!;
    if (!Number.isFinite(time)) throw invalid(`time ${index} is ${time}`);
    if (index > 0 && time < times[index - 1]!)
      throw invalid(`page view ${index} is earlier than the one before`);
  }
}

/** Every page view has at least one exposure, and together they have all. */
function requireStarts(start: Int32Array, viewCount: number, rowCount: number): void {
  requireLength(start, viewCount + 1, 'start');
  if (start[0] !== 0 || start[viewCount] !== rowCount) throw invalid('exposures without a page view');
  for (let view = 0; view < viewCount; view++) {
    if (start[view + 1]! <= start[view]!) throw invalid(`page view ${view} has no exposure`);
  }
}
