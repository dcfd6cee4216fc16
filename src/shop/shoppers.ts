/** The shoppers of the generated shop: what they are after, what they click, and what they buy. */
import { Random } from '../random.ts';
import { collections, type ShopItem } from './catalogue.ts';
import type { ShopConfig } from './config.ts';
import { tastes } from './looks.ts';
import { WeightedSampler } from './weighted-sampler.ts';

export interface Shopper {
  readonly id: string;
  /** Indices into `tastes`. */
  readonly tastes: readonly number[];
  /** Liking of each collection, standard normal. */
  readonly affinity: readonly number[];
  /** Liking of high prices, standard normal. */
  readonly spending: number;
  readonly activity: number;
}

/** A page view, before anything is shown. */
export interface Visit {
  readonly shopper: Shopper;
  /** Milliseconds since 1970-01-01 UTC, whole seconds. */
  readonly time: number;
  /** What the shopper is after, as an index into `tastes`. */
  readonly taste: number;
}

/** A time, and how much goes on in it. */
export interface Season {
  /** First day of it; 0 is the shop's opening. */
  readonly from: number;
  readonly days: number;
  readonly pageViews: number;
}

const TASTES_PER_SHOPPER = 4;
const LONGEST_SESSION = 3;

/** The chance of a click on the first place for an average item that is not to the present taste. */
const BASE_CLICK = 0.035;
const TASTE_BOOST = 18;
const HIGHEST_CLICK = 0.9;

/** The chance that an average item is bought once it is clicked, if it is not to the present taste and if it is. */
const ORDER = { otherTaste: 0.1, sameTaste: 0.35 } as const;

export const DAY = 86_400_000;
/** When the first page is viewed; milliseconds. */
export const OPENING = Date.UTC(2024, 2, 1);

/** The moments between which a season is, milliseconds; sessions may go on for some minutes beyond. */
export function beginOf({ from }: Pick<Season, 'from'>): number {
  return OPENING + from * DAY;
}

export function endOf({ from, days }: Pick<Season, 'from' | 'days'>): number {
  return OPENING + (from + days) * DAY;
}

/** @param days of the shop's log, of which items go on sale after a share @returns milliseconds */
export function onSaleAt({ onSaleFrom }: ShopItem, days: number): number {
  return OPENING + Math.round(onSaleFrom * days * DAY);
}

/** Position bias × appeal (popularity, collection, price) × boost where the item has the look that the shopper is after. */
export function clickProbability(item: ShopItem, shopper: Shopper, taste: number, position: number): number {
  const positionBias = 1 / (1 + 0.1 * position);
  const affinity = shopper.affinity[collections.indexOf(item.collection)]!;
  const appeal = Math.exp(
    0.25 * item.popularity + 0.3 * affinity + 0.15 * (shopper.spending - 1) * priceOf(item),
  );
  const boost = item.taste === taste ? TASTE_BOOST : 1;
  return Math.min(HIGHEST_CLICK, positionBias * BASE_CLICK * appeal * boost);
}

/** Of an item that was clicked: the price counts once more, and so does the look. */
export function orderProbability(item: ShopItem, shopper: Shopper, taste: number): number {
  const chance = item.taste === taste ? ORDER.sameTaste : ORDER.otherTaste;
  return Math.min(1, chance * Math.exp(0.15 * (shopper.spending - 1) * priceOf(item)));
}

/** Standard normal over the catalogue. */
function priceOf({ price }: ShopItem): number {
  return (Math.log(price) - 3.1) / 0.45;
}

export function makeShoppers(config: ShopConfig): Shopper[] {
  const random = Random.seeded(config.seed, 'shop shoppers');
  return Array.from({ length: config.shoppers }, (_, index) => ({
    id: `u${String(index + 1).padStart(5, '0')}`,
    tastes: random.shuffle(Array.from(tastes.keys())).slice(0, TASTES_PER_SHOPPER),
    affinity: collections.map(() => random.normal()),
    spending: random.normal(),
    activity: Math.exp(0.5 * random.normal()),
  }));
}

/** Sessions of a few page views, a minute or so apart, with one taste each; in order of time. */
export function planVisits(
  shoppers: readonly Shopper[],
  { from, days, pageViews }: Season,
  random: Random,
): Visit[] {
  const byActivity = new WeightedSampler(shoppers.map(({ activity }) => activity));
  const visits: Visit[] = [];
  while (visits.length < pageViews) {
    const shopper = shoppers[byActivity.draw(random)]!;
    const taste = random.pick(shopper.tastes);
    let time = beginOf({ from }) + Math.floor(random.uniform() * days * DAY);
    const length = Math.min(1 + random.integer(LONGEST_SESSION), pageViews - visits.length);
    for (let view = 0; view < length; view++) {
      visits.push({ shopper, time: Math.floor(time / 1000) * 1000, taste });
      time += 20_000 + random.integer(120_000);
    }
  }
  // Sorting is stable, so page views of one second keep the order in which they were drawn.
  return visits.sort((a, b) => a.time - b.time);
}
