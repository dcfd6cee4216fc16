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
  /** Share of the shop's time that has passed when the item goes on sale, 0 for the first assortment. */
  readonly onSaleFrom: number;
}

/** When the new items begin to arrive, as a share of the shop's time. */
const ARRIVALS_BEGIN = 2 / 3;

/**
 * Draws the catalogue. Looks, labels (collection and price), popularity and arrival each have a random stream
 * of their own, so that none of them tells anything about another.
 */
export function makeCatalogue(config: ShopConfig): ShopItem[] {
  const looks = Random.seeded(config.seed, 'shop looks');
  const labels = Random.seeded(config.seed, 'shop labels');
  const popularity = Random.seeded(config.seed, 'shop popularity');
  const arrivals = Random.seeded(config.seed, 'shop arrivals');
  // Exactly so many, so that a page can be filled from the first assortment however small the shop.
  const inRandomOrder = arrivals.shuffle(Array.from({ length: config.items }, (_, index) => index));
  const newItems = new Set(inRandomOrder.slice(0, Math.round(config.newItems * config.items)));
  return Array.from({ length: config.items }, (_, index) => {
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
      onSaleFrom: newItems.has(index) ? ARRIVALS_BEGIN + (1 - ARRIVALS_BEGIN) * arrivals.uniform() : 0,
    };
  });
}
