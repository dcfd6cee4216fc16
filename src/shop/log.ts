/** The shoppers of the generated shop, and what they click. */
import { Random } from '../random.ts';
import { collections, type ShopItem } from './catalogue.ts';
import type { ShopConfig } from './config.ts';
import { tastes } from './looks.ts';
import { WeightedSampler } from './weighted-sampler.ts';

export interface ShopExposure {
  /** Index into the catalogue. */
  readonly item: number;
  readonly clicked: boolean;
}

export interface ShopPageView {
  readonly id: string;
  readonly user: string;
  /** Milliseconds since 1970-01-01 UTC, whole seconds. */
  readonly time: number;
  /** What the shopper is after, as an index into `tastes`. */
  readonly taste: number;
  /** In order of position on the page. */
  readonly exposures: readonly ShopExposure[];
}

interface Shopper {
  readonly id: string;
  /** Indices into `tastes`. */
  readonly tastes: readonly number[];
  /** Liking of each collection, standard normal. */
  readonly affinity: readonly number[];
  /** Liking of high prices, standard normal. */
  readonly spending: number;
  readonly activity: number;
}

interface Visit {
  readonly shopper: Shopper;
  readonly time: number;
  readonly taste: number;
}

const TASTES_PER_SHOPPER = 4;
const LONGEST_SESSION = 3;
const FEWEST_EXPOSURES = 5;
const MOST_EXPOSURES = 8;
/** Share of the places that the shop fills with items to the shopper's present taste. */
const WELL_CHOSEN = 0.15;

/** The chance of a click on the first place for an average item that is not to the present taste. */
const BASE_CLICK = 0.035;
const TASTE_BOOST = 18;
const HIGHEST_CLICK = 0.9;

const DAY = 86_400_000;
const OPENING = Date.UTC(2024, 2, 1);

/**
 * Simulates the click log, in order of time.
 *
 * A shopper has four of the 18 tastes and is after one of them in each session. An exposure is clicked with
 * probability position bias × appeal (popularity, collection, price) × boost where the item has the look that
 * the shopper is after. Tastes never change, so an earlier click of the same taste explains a later one.
 */
export function simulateLog(config: ShopConfig, catalogue: readonly ShopItem[]): ShopPageView[] {
  const page = new Pages(config, catalogue);
  const clicks = Random.seeded(config.seed, 'shop clicks');
  return planVisits(config).map(({ shopper, time, taste }, index) => ({
    id: `v${String(index + 1).padStart(6, '0')}`,
    user: shopper.id,
    time,
    taste,
    exposures: page.compose(time, taste).map((item, position) => ({
      item,
      clicked: clicks.uniform() < clickProbability(catalogue[item]!, shopper, taste, position),
    })),
  }));
}

function clickProbability(item: ShopItem, shopper: Shopper, taste: number, position: number): number {
  const positionBias = 1 / (1 + 0.1 * position);
  const price = (Math.log(item.price) - 3.1) / 0.45;
  const affinity = shopper.affinity[collections.indexOf(item.collection)]!;
  const appeal = Math.exp(0.25 * item.popularity + 0.3 * affinity + 0.15 * (shopper.spending - 1) * price);
  const boost = item.taste === taste ? TASTE_BOOST : 1;
  return Math.min(HIGHEST_CLICK, positionBias * BASE_CLICK * appeal * boost);
}

function makeShoppers(config: ShopConfig): Shopper[] {
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
function planVisits(config: ShopConfig): Visit[] {
  const random = Random.seeded(config.seed, 'shop visits');
  const shoppers = makeShoppers(config);
  const byActivity = new WeightedSampler(shoppers.map(({ activity }) => activity));
  const visits: Visit[] = [];
  while (visits.length < config.pageViews) {
    const shopper = shoppers[byActivity.draw(random)]!;
    const taste = random.pick(shopper.tastes);
    let time = OPENING + Math.floor(random.uniform() * config.days * DAY);
    const length = Math.min(1 + random.integer(LONGEST_SESSION), config.pageViews - visits.length);
    for (let view = 0; view < length; view++) {
      visits.push({ shopper, time: Math.floor(time / 1000) * 1000, taste });
      time += 20_000 + random.integer(120_000);
    }
  }
  // Sorting is stable, so page views of one second keep the order in which they were drawn.
  return visits.sort((a, b) => a.time - b.time);
}

/** Fills pages with items that are on sale, the popular ones more often. */
class Pages {
  readonly #random: Random;
  readonly #catalogue: readonly ShopItem[];
  readonly #days: number;
  readonly #all: WeightedSampler;
  /** For each taste, its items and their sampler; undefined where the catalogue has none. */
  readonly #ofTaste: readonly ({ items: readonly number[]; sampler: WeightedSampler } | undefined)[];

  constructor(config: ShopConfig, catalogue: readonly ShopItem[]) {
    this.#random = Random.seeded(config.seed, 'shop pages');
    this.#catalogue = catalogue;
    this.#days = config.days;
    const weights = catalogue.map(({ popularity }) => Math.exp(popularity));
    this.#all = new WeightedSampler(weights);
    this.#ofTaste = tastes.map((_, taste) => {
      const items = [...catalogue.keys()].filter((item) => catalogue[item]!.taste === taste);
      if (items.length === 0) return undefined;
      return { items, sampler: new WeightedSampler(items.map((item) => weights[item]!)) };
    });
  }

  /** Distinct items for one page view, by position. */
  compose(time: number, taste: number): number[] {
    const length = FEWEST_EXPOSURES + this.#random.integer(MOST_EXPOSURES - FEWEST_EXPOSURES + 1);
    const page = new Set<number>();
    while (page.size < length) {
      const item = this.#drawItem(taste);
      if (this.#catalogue[item]!.onSaleFrom <= (time - OPENING) / (this.#days * DAY)) page.add(item);
    }
    return [...page];
  }

  #drawItem(taste: number): number {
    const fitting = this.#ofTaste[taste];
    const choose = this.#random.uniform() < WELL_CHOSEN;
    return choose && fitting !== undefined
      ? fitting.items[fitting.sampler.draw(this.#random)]!
      : this.#all.draw(this.#random);
  }
}
