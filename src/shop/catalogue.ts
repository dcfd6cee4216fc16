/** The items of the generated shop. */
import { Random } from '../random.ts';
import type { ShopConfig } from './config.ts';
import { type Look, shapes, tastes } from './looks.ts';

/** The one category that the catalogue knows. It says nothing about the look. */
export const collections = [
  'Harbour',
  'Meadow',
  'Orchard',
  'Atelier',
  'Voyage',
  'Winter',
  'Market',
  'Garden',
] as const;

export interface ShopItem {
  readonly id: string;
  readonly title: string;
  readonly collection: (typeof collections)[number];
  readonly price: number;
  readonly look: Look;
  /** Index into `tastes`. */
  readonly taste: number;
  /** Logarithm of the weight with which the item is shown, standard normal over the catalogue. */
  readonly popularity: number;
  /** Share of the log's time that has passed when the item goes on sale, 0 for the first assortment. */
  readonly onSaleFrom: number;
}

/** When the new items begin to arrive, as a share of the shop's time. */
const ARRIVALS_BEGIN = 2 / 3;

/**
 * Draws the catalogue. Looks, labels (collection and price), popularity and arrival each have a random stream
 * of their own, so that none of them tells anything about another.
 */
export function makeCatalogue(config: ShopConfig): ShopItem[] {
  const arrivals = Random.seeded(config.seed, 'shop arrivals');
  // Exactly so many, so that a page can be filled from the first assortment however small the shop.
  const inRandomOrder = arrivals.shuffle(Array.from({ length: config.items }, (_, index) => index));
  const newItems = new Set(inRandomOrder.slice(0, Math.round(config.newItems * config.items)));
  return drawItems(config.seed, 'shop', { first: 0, count: config.items }, (index) =>
    newItems.has(index) ? ARRIVALS_BEGIN + (1 - ARRIVALS_BEGIN) * arrivals.uniform() : 0,
  );
}

/**
 * Draws items that go on sale after the shop's log has ended, as many on each of some days, at its begin.
 * @param season its days, the first counted from the shop's opening
 */
export function makeArrivals(
  { seed, items, days }: ShopConfig,
  season: { readonly from: number; readonly days: number },
  perDay: number,
): ShopItem[] {
  const places = { first: items, count: perDay * season.days };
  return drawItems(
    seed,
    'shop arrival',
    places,
    (index) => (season.from + Math.floor((index - items) / perDay)) / days,
  );
}

function drawItems(
  seed: number,
  purpose: string,
  { first, count }: { readonly first: number; readonly count: number },
  onSaleFrom: (index: number) => number,
): ShopItem[] {
  const looks = Random.seeded(seed, `${purpose} looks`);
  const labels = Random.seeded(seed, `${purpose} labels`);
  const popularity = Random.seeded(seed, `${purpose} popularity`);
  return Array.from({ length: count }, (_, place) => {
    const index = first + place;
    const taste = looks.integer(tastes.length);
    const collection = labels.pick(collections);
    return {
      id: `i${String(index + 1).padStart(5, '0')}`,
      title: `${collection} No. ${index + 1}`,
      collection,
      price: Number(Math.exp(3.1 + 0.45 * labels.normal()).toFixed(2)),
      look: { shape: looks.pick(shapes), ...tastes[taste]! },
      taste,
      popularity: popularity.normal(),
      onSaleFrom: onSaleFrom(index),
    };
  });
}
