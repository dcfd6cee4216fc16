/**
 * The training period in two: encoders and base rankers learn on its older part, rankers go on with the newer one.
 *
 * That is the order of production: past, encoder, later, ranker, still later, test. Similarities are too good on clicks
 * that an encoder was trained on, and a ranker that sees them there trusts them too much afterwards.
 */
import { type Dataset, splits } from '../dataset.ts';

/** As much of a dataset as has times. */
type Timed = Pick<Dataset, 'pageViews'>;

/** Milliseconds of a day. */
const day = 86_400_000;

/**
 * Where the newer part begins: at the begin of a day (UTC) where the period has three days or more, else between two of
 * its page views.
 * @param olderShare of the days, or of the page views
 * @returns a time in milliseconds; null where there is nothing to cut
 */
export function trainingCut({ pageViews }: Timed, olderShare: number): number | null {
  const train = splits.indexOf('train');
  const times = pageViews.time.filter((_, view) => pageViews.split[view] === train).sort();
  const days = distinctOf(times.map((time) => Math.floor(time / day)));
  if (days.length >= 3) return day * days[placeOf(days.length, olderShare)]!;
  const distinct = distinctOf(times);
  return distinct.length < 2 ? null : distinct[placeOf(distinct.length, olderShare)]!;
}

/** @param ascending of any number, which a set of them has not room for */
function distinctOf(ascending: Float64Array): Float64Array {
  return ascending.filter((value, place) => value !== ascending[place - 1]);
}

/** Neither part is empty. */
function placeOf(count: number, share: number): number {
  return Math.min(count - 1, Math.max(1, Math.round(share * count)));
}

/** @param olderShare null leaves the training period whole */
export function learnedPart<Data extends Timed>(dataset: Data, olderShare: number | null): Data {
  const cut = olderShare === null ? null : trainingCut(dataset, olderShare);
  return cut === null ? dataset : olderPart(dataset, cut);
}

/**
 * The first moment of which nothing is known to what learned from the training period and was chosen on the validation period.
 * @returns milliseconds since 1970-01-01 UTC: the begin of the test period, or just after the last page view
 */
export function knownUntil({ pageViews, splitTimes }: Pick<Dataset, 'pageViews' | 'splitTimes'>): number {
  const last = pageViews.time.reduce((latest, time) => Math.max(latest, time), Number.NEGATIVE_INFINITY);
  return Math.min(splitTimes.testFrom, last + 1);
}

/** The dataset with the page views of the training period from `cut` on in no period. */
export function olderPart<Data extends Timed>(dataset: Data, cut: number): Data {
  return withoutTraining(dataset, (time) => time >= cut);
}

/** The dataset with the page views of the training period before `cut` in no period. */
export function newerPart<Data extends Timed>(dataset: Data, cut: number): Data {
  return withoutTraining(dataset, (time) => time < cut);
}

/** The code of no period. */
const withheld = splits.length;

function withoutTraining<Data extends Timed>(dataset: Data, isLeftOut: (time: number) => boolean): Data {
  const { pageViews } = dataset;
  const train = splits.indexOf('train');
  const split = pageViews.split.map((code, view) =>
    code === train && isLeftOut(pageViews.time[view]!) ? withheld : code,
  );
  return { ...dataset, pageViews: { ...pageViews, split } };
}
