/** Shoppers with known tastes in front of a server: they ask, they are shown what scores highest, and what they do is recorded. */
import { silent, type WorkOptions } from '../../progress.ts';
import { Random } from '../../random.ts';
import type { CourierClient } from '../../server/client.ts';
import { makeArrivals, makeCatalogue, type ShopItem } from '../../shop/catalogue.ts';
import { photoOf } from '../../shop/generate.ts';
import { isOnSale, Pages } from '../../shop/pages.ts';
import {
  clickProbability,
  endOf,
  makeShoppers,
  orderProbability,
  planVisits,
  type Season,
  type Visit,
} from '../../shop/shoppers.ts';
import type { LiveConfig } from './config.ts';
import { Observer, type Seen } from './observer.ts';

type Events = Parameters<CourierClient['record']>[0];

/** Page views that are asked side by side, at most. */
const atOnce = 16;

/** Page views that they are chosen from: the next one of a shopper waits for the next wave. */
const ahead = 2 * atOnce;

interface Page {
  readonly id: string;
  readonly visit: Visit;
  /** As the shop draws them. */
  readonly candidates: readonly number[];
}

/**
 * Lives through a season of the shop.
 * @returns what was seen, by those who know the tastes
 */
export async function simulate(
  client: CourierClient,
  config: LiveConfig,
  season: Season,
  { progress = silent, signal }: WorkOptions,
): Promise<Observer> {
  const stage = 'Simulate shoppers';
  const shop = new SimulatedShop(client, config, season, signal);
  progress({ kind: 'start', stage, total: season.pageViews, unit: 'page views' });
  let done = 0;
  for (const wave of shop.waves()) {
    signal?.throwIfAborted();
    await shop.serve(wave);
    done += wave.length;
    progress({ kind: 'advance', stage, done, detail: shop.observer.summary() });
  }
  progress({ kind: 'end', stage, detail: shop.observer.summary() });
  return shop.observer;
}

class SimulatedShop {
  readonly observer: Observer;
  readonly #client: CourierClient;
  readonly #config: LiveConfig;
  readonly #catalogue: readonly ShopItem[];
  readonly #visits: readonly Visit[];
  readonly #pages: Pages;
  /** In the order in which they arrive. */
  readonly #arrivals: readonly ShopItem[];
  readonly #signal: AbortSignal | undefined;
  /** Milliseconds since 1970-01-01 UTC. */
  #time = 0;
  #arrived = 0;
  #asked = 0;

  constructor(client: CourierClient, config: LiveConfig, season: Season, signal: AbortSignal | undefined) {
    const { shop } = config;
    const known = makeCatalogue(shop);
    this.#client = client;
    this.#config = config;
    this.#arrivals = makeArrivals(shop, season, config.newItems);
    this.#catalogue = [...known, ...this.#arrivals];
    this.#pages = new Pages(this.#catalogue, shop.days, Random.seeded(shop.seed, 'live pages'));
    const visits = planVisits(makeShoppers(shop), season, Random.seeded(shop.seed, 'live visits'));
    this.#visits = visits.filter(({ time }) => time < endOf(season));
    this.#signal = signal;
    this.observer = new Observer({ firstNew: known.length, days: shop.days });
  }

  /**
   * Page views of different shoppers, about in the order of time: what one wave does, the next one is ranked by. The shop's clock
   * is that of the last of them, so that the others wait for some minutes.
   */
  *waves(): Generator<readonly Visit[]> {
    let waiting = this.#visits;
    while (waiting.length > 0) {
      const wave: Visit[] = [];
      const later: Visit[] = [];
      for (const visit of waiting.slice(0, ahead)) {
        const isFree = wave.length < atOnce && wave.every(({ shopper }) => shopper !== visit.shopper);
        (isFree ? wave : later).push(visit);
      }
      waiting = [...later, ...waiting.slice(ahead)];
      yield wave;
    }
  }

  async serve(wave: readonly Visit[]): Promise<void> {
    this.#time = wave.reduce((latest, { time }) => Math.max(latest, time), this.#time);
    const time = this.#time;
    await this.#putArrivals(time);
    const { candidates } = this.#config;
    const pages = wave.map((visit): Page => {
      const id = `live-${++this.#asked}`;
      return { id, visit, candidates: this.#pages.compose(time, visit.taste, candidates) };
    });
    const seen = await Promise.all(pages.map((page) => this.#show(page, time)));
    await this.#client.record(seen.flatMap((each) => eventsOf(each, this.#catalogue)));
    for (const each of seen) this.observer.add(each, this.#catalogue);
  }

  async #putArrivals(time: number): Promise<void> {
    const { shop } = this.#config;
    for (; this.#arrived < this.#arrivals.length; this.#arrived++) {
      const item = this.#arrivals[this.#arrived]!;
      if (!isOnSale(item, time, shop.days)) return;
      this.#signal?.throwIfAborted();
      const photo = await photoOf(item, shop.seed, shop.photoSide);
      const { collection, price } = item;
      await this.#client.putItem(item.id, {
        ...{ categories: { collection }, numeric: { price } },
        photo: photo.toString('base64'),
      });
    }
  }

  /** Shows what scores highest, and has the shopper look at it. */
  async #show({ id, visit, candidates }: Page, time: number): Promise<Seen> {
    const { shopper, taste } = visit;
    const { scores, arm } = await this.#client.score({
      ...{ user: shopper.id, time },
      candidates: candidates.map((item) => this.#catalogue[item]!.id),
      // Where an item will be is not known before it is ranked: all are scored as if they came first.
      numeric: { position: candidates.map(() => 1) },
    });
    if (arm === undefined) throw new Error(`${shopper.id} is in no arm`);
    const random = Random.seeded(this.#config.shop.seed, `live shopper ${id}`);
    const order = [...candidates.keys()].sort((a, b) => scores[b]! - scores[a]!);
    const exposures = order.slice(0, this.#config.shown).map((place, position) => {
      const item = candidates[place]!;
      const shown = this.#catalogue[item]!;
      const clicked = random.uniform() < clickProbability(shown, shopper, taste, position);
      const bought = random.uniform() < orderProbability(shown, shopper, taste) && clicked;
      return { item, clicked, bought };
    });
    return { id, visit, time, arm, candidates, exposures };
  }
}

/** What a shop tells the server of a page view. */
function eventsOf({ id, visit, time, arm, exposures }: Seen, catalogue: readonly ShopItem[]): Events {
  const user = visit.shopper.id;
  return exposures.flatMap(({ item, clicked, bought }, position): Events => {
    const { id: what, price } = catalogue[item]!;
    const event = { user, time };
    const name = `${id}-${position + 1}`;
    return [
      { ...event, id: name, kind: 'exposure', item: what, arm },
      ...(clicked ? ([{ ...event, id: `${name}-click`, kind: 'click', item: what }] as const) : []),
      ...(bought ? ([{ ...event, id: `${name}-order`, kind: 'order', revenue: price }] as const) : []),
    ];
  });
}
