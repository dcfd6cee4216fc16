/** Page views of protocol ml1m-v1: what a user rated high beside what the same user rated low. */
import { CourierError } from '../../errors.ts';
import { groupRows } from '../../groups.ts';
import type { Random } from '../../random.ts';
import { type Clicks, eventsInOrder, orderByTime } from '../clicks.ts';
import { NONE, splits } from '../dataset.ts';
import type { Findings } from '../findings.ts';
import { likedFrom, type Ratings } from './ml1m-files.ts';

/** The rating files, in the order of `splits`. */
export type SplitRatings = readonly [train: Ratings, validation: Ratings, test: Ratings];

export interface RatedPageViews {
  /** (P) each, as in SourcePageViews. */
  readonly user: Int32Array;
  readonly time: Float64Array;
  readonly split: Uint8Array;
  /** (P + 1) */
  readonly start: Int32Array;
  /** (R) each, as in SourceExposures. */
  readonly item: Int32Array;
  readonly clicked: Uint8Array;
  /** Which of the training ratings an exposure is; NONE in validation and test. (R) */
  readonly trainingRow: Int32Array;
}

const unclickedPlaces = 4;

export const ratedCandidates =
  `rated by the user (ml1m-v1): in training a rating of ${likedFrom} or more and up to ${unclickedPlaces} lower ones ` +
  'of the same user, each once, whose time is not known; in validation and test every rating alone, at its time';

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
 * @throws CourierError VALUE_INVALID when a split begins before the one before it has ended
 */
export function pageViewsOf(
  parts: SplitRatings,
  userCount: number,
  random: Random,
  findings: Findings,
): RatedPageViews {
  const [train, ...later] = parts;
  const views = new Collected();
  const liked = inTime(train, rowsOf(train.stars, true));
  const unclicked = dealLowRatings(train, liked, userCount, random, findings);
  for (const [view, row] of liked.entries()) {
    const others = unclicked.subarray(view * unclickedPlaces, (view + 1) * unclickedPlaces);
    views.add(train, 0, row, random.shuffle([row, ...others.filter((other) => other !== NONE)]));
  }
  for (const [index, ratings] of later.entries()) {
    for (const row of inTime(ratings, ratings.user.keys())) views.add(ratings, index + 1, row, [row]);
  }
  return views.inOrder();
}

/** Page views as they come. */
class Collected {
  readonly #user: number[] = [];
  readonly #time: number[] = [];
  readonly #split: number[] = [];
  readonly #start: number[] = [0];
  readonly #item: number[] = [];
  readonly #clicked: number[] = [];
  readonly #trainingRow: number[] = [];

  /** @param target the rating that has user and time of the page view. @param rows the ratings it shows */
  add(ratings: Ratings, split: number, target: number, rows: readonly number[]): void {
    this.#user.push(ratings.user[target]!);
    this.#time.push(ratings.time[target]!);
    this.#split.push(split);
    for (const row of rows) {
      this.#item.push(ratings.item[row]!);
      this.#clicked.push(ratings.stars[row]! >= likedFrom ? 1 : 0);
      this.#trainingRow.push(split === 0 ? row : NONE);
    }
    this.#start.push(this.#item.length);
  }

  /** @throws CourierError VALUE_INVALID when a page view is earlier than the one before */
  inOrder(): RatedPageViews {
    const late = this.#time.findIndex((time, view) => view > 0 && time < this.#time[view - 1]!);
    if (late >= 0) throw overlapping(this.#split[late]!, this.#time[late]!, this.#time[late - 1]!);
    return {
      user: Int32Array.from(this.#user),
      time: Float64Array.from(this.#time),
      split: Uint8Array.from(this.#split),
      start: Int32Array.from(this.#start),
      item: Int32Array.from(this.#item),
      clicked: Uint8Array.from(this.#clicked),
      trainingRow: Int32Array.from(this.#trainingRow),
    };
  }
}

/**
 * Deals the low ratings of each user as evenly as they go to the places beside the user's high ratings, at
 * random: dealt in the order of time, they would tell early exposures from late ones by their labels.
 * @param liked rows of the page views (P)
 * @returns row of the low rating at each place, or NONE. (P, 4)
 */
function dealLowRatings(
  ratings: Ratings,
  liked: Int32Array,
  userCount: number,
  random: Random,
  findings: Findings,
): Int32Array {
  const places = new Int32Array(liked.length * unclickedPlaces).fill(NONE);
  const low = rowsOf(ratings.stars, false);
  const userOf = (row: number): number => ratings.user[row]!;
  const lowByUser = groupRows(low.map(userOf), userCount);
  const viewsByUser = groupRows(liked.map(userOf), userCount);
  for (let user = 0; user < userCount; user++) {
    const pile = random.shuffle(lowByUser.rows.slice(lowByUser.start[user], lowByUser.start[user + 1]));
    const views = viewsByUser.rows.slice(viewsByUser.start[user], viewsByUser.start[user + 1]);
    let dealt = 0;
    for (let place = 0; place < unclickedPlaces; place++) {
      for (const view of random.shuffle(views).subarray(0, pile.length - dealt))
        places[view * unclickedPlaces + place] = low[pile[dealt++]!]!;
    }
    const over = pile.length - dealt;
    findings.add('Low training ratings of users with too few high ones to show them beside', undefined, over);
  }
  const alone = liked.filter((_, view) => places[view * unclickedPlaces] === NONE);
  findings.add('Training page views with the clicked film alone', undefined, alone.length);
  return places;
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

function overlapping(split: number, begin: number, end: number): CourierError {
  const iso = (time: number): string => new Date(time).toISOString();
  return new CourierError(
    'VALUE_INVALID',
    `The ${splits[split]} ratings begin at ${iso(begin)}, before the split before them has ended at ${iso(end)}.`,
    'Training, validation and test must follow one another in time: check the files.',
  );
}
