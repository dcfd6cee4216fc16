/** The click log of the generated shop. */
import { Random } from '../random.ts';
import type { ShopItem } from './catalogue.ts';
import type { ShopConfig } from './config.ts';
import { Pages } from './pages.ts';
import { clickProbability, makeShoppers, planVisits } from './shoppers.ts';

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

const FEWEST_EXPOSURES = 5;
const MOST_EXPOSURES = 8;

/**
 * Simulates the click log, in order of time.
 *
 * A shopper has four of the 18 tastes and is after one of them in each session. Tastes never change, so an earlier click of
 * the same taste explains a later one.
 */
export function simulateLog(config: ShopConfig, catalogue: readonly ShopItem[]): ShopPageView[] {
  const pages = Random.seeded(config.seed, 'shop pages');
  const page = new Pages(catalogue, config.days, pages);
  const clicks = Random.seeded(config.seed, 'shop clicks');
  const season = { from: 0, days: config.days, pageViews: config.pageViews };
  const visits = planVisits(makeShoppers(config), season, Random.seeded(config.seed, 'shop visits'));
  return visits.map(({ shopper, time, taste }, index) => {
    const length = FEWEST_EXPOSURES + pages.integer(MOST_EXPOSURES - FEWEST_EXPOSURES + 1);
    return {
      id: `v${String(index + 1).padStart(6, '0')}`,
      user: shopper.id,
      time,
      taste,
      exposures: page.compose(time, taste, length).map((item, position) => ({
        item,
        clicked: clicks.uniform() < clickProbability(catalogue[item]!, shopper, taste, position),
      })),
    };
  });
}
