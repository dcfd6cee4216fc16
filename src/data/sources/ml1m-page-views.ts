/** Page views and counted events of protocol ml1m-v2: what a user rated high beside what the same user rated low. */
import { CourierError } from '../../errors.ts';
import { groupRows } from '../../groups.ts';
import type { Random } from '../../random.ts';
import { type Clicks, eventsInOrder, orderByTime, type UserEvents } from '../clicks.ts';
import { type SplitTimes, splits } from '../dataset.ts';
import type { Findings } from '../findings.ts';
import { likedFrom, type Ratings } from './ml1m-files.ts';

/** The rating files, in the order of `splits`. */
export type SplitRatings = readonly [train: Ratings, validation: Ratings, test: Ratings];

export interface RatedPageViews {
  /** As in SourcePageViews. */
  readonly user: Int32Array;
  readonly time: Float64Array;
  readonly splitTimes: SplitTimes;
  /** (P + 1) */
  readonly start: Int32Array;
  /** (R) each, as in SourceExposures. */
  readonly item: Int32Array;
  readonly clicked: Uint8Array;
}

const unclickedPlaces = 4;

/** Of the ratings of the validation file, the first ones: rankers learn from them, too, as the last of the training period. */
const trainingShare = 2 / 3;

export const ratedCandidates =
  `rated by the user (ml1m-v2): from the training file a rating of ${likedFrom} or more and up to ${unclickedPlaces} lower ones ` +
  'of the same user, each once, whose time is not known; then every rating alone, at its time, two thirds of the validation ' +
  'file as the end of the training period';

/** The page view that each low training rating is dealt to, none where its user has no page view. */
const nowhere = -1;

/** High ratings of all splits: histories and counters are made of them. */
export function clicksOf(parts: SplitRatings): Clicks {
  const liked = parts.flatMap(({ user, item, stars, time }) =>
    Array.from(rowsOf(stars, true), (row) => ({ user: user[row]!, item: item[row]!, time: time[row]! })),
  );
  return eventsInOrder(
    liked.map(({ user }) => user),
    liked.map(({ item }) => item),
    liked.map(({ time }) => time),
  );
}

/**
 * Training: a page view for each high rating, at its time, with up to four low ratings of its user.
 * Validation and test: a page view for each rating.
 *
 * What was shown is every rating: a low one of training at the time of the page view that it was dealt to, which need not show
 * it. So counters know what share of a film's, a user's, a genre's ratings are high, in training as later.
 * @throws CourierError VALUE_INVALID when a split begins before the one before it has ended
 */
export function pageViewsOf(
  parts: SplitRatings,
  userCount: number,
  random: Random,
  findings: Findings,
): { readonly views: RatedPageViews; readonly shown: UserEvents } {
  requireConsecutive(parts);
  const [train, validation, test] = parts;
  const liked = inTime(train, rowsOf(train.stars, true));
  const low = rowsOf(train.stars, false);
  const viewOf = dealLowRatings(train, low, liked, userCount, random, findings);
  const views = new Collected();
  const dealt = groupRows(
    Int32Array.from(viewOf, (view) => (view === nowhere ? liked.length : view)),
    liked.length + 1,
  );
  for (const [view, row] of liked.entries()) {
    const places = dealt.rows.subarray(dealt.start[view], dealt.start[view + 1]);
    const others = Array.from(places.subarray(0, unclickedPlaces), (place) => low[place]!);
    views.add(train, row, random.shuffle([row, ...others]));
  }
  const rated = inTime(validation, validation.user.keys());
  const until = validation.time[rated[Math.floor(trainingShare * rated.length)]!]!;
  for (const row of rated) views.add(validation, row, [row]);
  const tested = inTime(test, test.user.keys());
  for (const row of tested) views.add(test, row, [row]);
  const time = train.time.slice();
  for (const [place, row] of low.entries())
    time[row] = viewOf[place] === nowhere ? Number.NaN : train.time[liked[viewOf[place]!]!]!;
  const splitTimes = { validationFrom: until, testFrom: test.time[tested[0]!]! };
  return { views: views.whole(splitTimes), shown: shownEvents([{ ...train, time }, validation, test]) };
}

/** Every rating that has a time. */
function shownEvents(parts: readonly Ratings[]): UserEvents {
  const rows = parts.flatMap(({ user, item, time }) =>
    Array.from(time.keys()).flatMap((row) =>
      Number.isNaN(time[row]!) ? [] : [{ user: user[row]!, item: item[row]!, time: time[row]! }],
    ),
  );
  return eventsInOrder(
    rows.map(({ user }) => user),
    rows.map(({ item }) => item),
    rows.map(({ time }) => time),
  );
}

/** Page views as they come. */
class Collected {
  readonly #user: number[] = [];
  readonly #time: number[] = [];
  readonly #start: number[] = [0];
  readonly #item: number[] = [];
  readonly #clicked: number[] = [];

  /** @param target the rating that has user and time of the page view. @param rows the ratings it shows */
  add(ratings: Ratings, target: number, rows: readonly number[]): void {
    this.#user.push(ratings.user[target]!);
    this.#time.push(ratings.time[target]!);
    for (const row of rows) {
      this.#item.push(ratings.item[row]!);
      this.#clicked.push(ratings.stars[row]! >= likedFrom ? 1 : 0);
    }
    this.#start.push(this.#item.length);
  }

  whole(splitTimes: SplitTimes): RatedPageViews {
    return {
      splitTimes,
      user: Int32Array.from(this.#user),
      time: Float64Array.from(this.#time),
      start: Int32Array.from(this.#start),
      item: Int32Array.from(this.#item),
      clicked: Uint8Array.from(this.#clicked),
    };
  }
}

/**
 * Deals the low ratings of each user as evenly as they go to the user's page views, at random: dealt in the order of time, they
 * would tell early exposures from late ones by their labels.
 * @param low rows of the low ratings. (n)
 * @param liked rows of the page views. (P)
 * @returns the page view of each low rating, or `nowhere`. (n)
 */
function dealLowRatings(
  { user }: Ratings,
  low: Int32Array,
  liked: Int32Array,
  userCount: number,
  random: Random,
  findings: Findings,
): Int32Array {
  const viewOf = new Int32Array(low.length).fill(nowhere);
  const lowByUser = groupRows(
    low.map((row) => user[row]!),
    userCount,
  );
  const viewsByUser = groupRows(
    liked.map((row) => user[row]!),
    userCount,
  );
  let [over, lost] = [0, 0];
  for (let one = 0; one < userCount; one++) {
    const pile = random.shuffle(lowByUser.rows.slice(lowByUser.start[one], lowByUser.start[one + 1]));
    const views = viewsByUser.rows.slice(viewsByUser.start[one], viewsByUser.start[one + 1]);
    if (views.length === 0) lost += pile.length;
    else over += Math.max(0, pile.length - unclickedPlaces * views.length);
    for (let dealt = 0; views.length > 0 && dealt < pile.length; ) {
      for (const view of random.shuffle(views).subarray(0, pile.length - dealt))
        viewOf[pile[dealt++]!] = view;
    }
  }
  findings.add(
    'Low training ratings of users with too few high ones to show them beside, in counters only',
    undefined,
    over,
  );
  findings.add('Low training ratings of users without a high one, dropped', undefined, lost);
  const shown = new Set(viewOf);
  const alone = liked.filter((_, view) => !shown.has(view));
  findings.add('Training page views with the clicked film alone', undefined, alone.length);
  return viewOf;
}

/** Rows rated high, or low, in the order of the file. */
function rowsOf(stars: Uint8Array, high: boolean): Int32Array {
  return Int32Array.from(stars.keys()).filter((row) => stars[row]! >= likedFrom === high);
}

/** Rows by ascending time; equal times keep the order of the file. */
function inTime({ time }: Ratings, rows: Iterable<number>): Int32Array {
  const listed = Int32Array.from(rows);
  return orderByTime(Float64Array.from(listed, (row) => time[row]!)).map((place) => listed[place]!);
}

/** @throws CourierError VALUE_INVALID when a split begins before the one before it has ended */
function requireConsecutive(parts: SplitRatings): void {
  let end = Number.NEGATIVE_INFINITY;
  for (const [split, { time }] of parts.entries()) {
    const known = time.filter((each) => !Number.isNaN(each));
    const begin = known.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY);
    if (begin < end) throw overlapping(split, begin, end);
    end = known.reduce((most, each) => Math.max(most, each), end);
  }
}

function overlapping(split: number, begin: number, end: number): CourierError {
  const iso = (time: number): string => new Date(time).toISOString();
  return new CourierError(
    'VALUE_INVALID',
    `The ${splits[split]} ratings begin at ${iso(begin)}, before the split before them has ended at ${iso(end)}.`,
    'Training, validation and test must follow one another in time: check the files.',
  );
}
