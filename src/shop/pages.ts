/** What the generated shop could show on a page. */
import type { Random } from '../random.ts';
import type { ShopItem } from './catalogue.ts';
import { tastes } from './looks.ts';
import { DAY, OPENING } from './shoppers.ts';
import { WeightedSampler } from './weighted-sampler.ts';

/** Share of the places that the shop fills with items to the shopper's present taste. */
const WELL_CHOSEN = 0.15;

/** @param days of the shop's log, of which items go on sale after a share */
export function isOnSale({ onSaleFrom }: ShopItem, time: number, days: number): boolean {
  return onSaleFrom <= (time - OPENING) / (days * DAY);
}

/** Fills pages with items that are on sale, the popular ones more often. */
export class Pages {
  readonly #random: Random;
  readonly #catalogue: readonly ShopItem[];
  readonly #days: number;
  readonly #all: WeightedSampler;
  /** For each taste, its items and their sampler; undefined where the catalogue has none. */
  readonly #ofTaste: readonly ({ items: readonly number[]; sampler: WeightedSampler } | undefined)[];

  /** @param days as `isOnSale` takes them */
  constructor(catalogue: readonly ShopItem[], days: number, random: Random) {
    this.#random = random;
    this.#catalogue = catalogue;
    this.#days = days;
    const weights = catalogue.map(({ popularity }) => Math.exp(popularity));
    this.#all = new WeightedSampler(weights);
    this.#ofTaste = tastes.map((_, taste) => {
      const items = [...catalogue.keys()].filter((item) => catalogue[item]!.taste === taste);
      if (items.length === 0) return undefined;
      return { items, sampler: new WeightedSampler(items.map((item) => weights[item]!)) };
    });
  }

  /** So many distinct items for one page view, as indices into the catalogue. */
  compose(time: number, taste: number, length: number): number[] {
    const page = new Set<number>();
    while (page.size < length) {
      const item = this.#drawItem(taste);
      if (isOnSale(this.#catalogue[item]!, time, this.#days)) page.add(item);
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
