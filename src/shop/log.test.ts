import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { makeArrivals, makeCatalogue, type ShopItem } from './catalogue.ts';
import { shopConfig } from './config.ts';
import { type ShopPageView, simulateLog } from './log.ts';
import { tastes } from './looks.ts';
import { isOnSale, Pages } from './pages.ts';
import { beginOf, DAY, makeShoppers, onSaleAt, orderProbability, planVisits } from './shoppers.ts';

const config = shopConfig.parse({});
const catalogue = makeCatalogue(config);
const log = simulateLog(config, catalogue);
const exposures = log.flatMap(({ exposures }) => exposures);

/** Pearson's chi-square statistic of independence, in standard deviations from its mean under independence. */
function chiSquare(rows: readonly string[], columns: readonly string[]): number {
  const [r, c] = [[...new Set(rows)], [...new Set(columns)]];
  const count = (test: (index: number) => boolean) => rows.filter((_, index) => test(index)).length;
  let sum = 0;
  for (const row of r) {
    for (const column of c) {
      const observed = count((i) => rows[i] === row && columns[i] === column);
      const expected = (count((i) => rows[i] === row) * count((i) => columns[i] === column)) / rows.length;
      sum += (observed - expected) ** 2 / expected;
    }
  }
  const freedom = (r.length - 1) * (c.length - 1);
  return (sum - freedom) / Math.sqrt(2 * freedom);
}

/** Splits numbers into four groups of equal size. */
function quartiles(values: readonly number[]): string[] {
  const sorted = [...values].sort((a, b) => a - b);
  return values.map((value) => String(Math.floor((4 * sorted.indexOf(value)) / sorted.length)));
}

/** Area under the ROC curve, ties counting half. */
function auc(scores: readonly number[], labels: readonly boolean[]): number {
  const order = [...scores.keys()].sort((a, b) => scores[a]! - scores[b]!);
  let [rankSum, positives] = [0, 0];
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) end++;
    const clicked = order.slice(start, end).filter((i) => labels[i]).length;
    rankSum += (clicked * (start + end + 1)) / 2;
    positives += clicked;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (order.length - positives));
}

/** Calls back for every exposure with the tastes of the shopper's last five clicks before the page view. */
function replay(
  visit: (item: ShopItem, clicked: boolean, recent: readonly number[], view: ShopPageView) => void,
) {
  const clickedTastes = new Map<string, number[]>();
  for (const view of log) {
    const past = clickedTastes.get(view.user) ?? [];
    const recent = past.slice(-5);
    for (const { item, clicked } of view.exposures) visit(catalogue[item]!, clicked, recent, view);
    past.push(...view.exposures.flatMap(({ item, clicked }) => (clicked ? [catalogue[item]!.taste] : [])));
    clickedTastes.set(view.user, past);
  }
}

describe('the generated catalogue', () => {
  it('gives every taste, colour and pattern its share, each colour with three patterns', () => {
    expect(tastes).toHaveLength(18);
    expect(new Set(tastes.map(({ colour, pattern }) => `${colour} ${pattern}`)).size).toBe(18);
    for (const taste of tastes.keys()) {
      const share = catalogue.filter((item) => item.taste === taste).length / catalogue.length;
      expect(share).toBeGreaterThan(0.5 / 18);
      expect(share).toBeLessThan(1.5 / 18);
    }
    const colours = new Map(tastes.map(({ colour }) => [colour, 0]));
    const patterns = new Map(tastes.map(({ pattern }) => [pattern, 0]));
    for (const { colour, pattern } of tastes) {
      colours.set(colour, colours.get(colour)! + 1);
      patterns.set(pattern, patterns.get(pattern)! + 1);
    }
    expect([...colours.values(), ...patterns.values()]).toEqual(new Array(12).fill(3));
  });

  it('has labels, price, popularity and arrival that are independent of the look', () => {
    const looks = ['taste', 'shape', 'colour', 'pattern'] as const;
    const labels = {
      collection: catalogue.map(({ collection }) => collection),
      price: quartiles(catalogue.map(({ price }) => price)),
      popularity: quartiles(catalogue.map(({ popularity }) => popularity)),
      arrival: catalogue.map(({ onSaleFrom }) => String(onSaleFrom > 0)),
    };
    for (const look of looks) {
      const values = catalogue.map((item) => String(look === 'taste' ? item.taste : item.look[look]));
      for (const [name, label] of Object.entries(labels)) {
        expect(chiSquare(values, label), `${look} against ${name}`).toBeLessThan(4);
      }
    }
  });

  it('would be caught if a label followed the look', () => {
    const shape = catalogue.map(({ look }) => look.shape);
    const leaking = catalogue.map(({ look }, i) => (i % 5 === 0 ? look.shape : catalogue[i - 1]!.look.shape));
    expect(chiSquare(shape, leaking)).toBeGreaterThan(40);
  });
});

describe('the generated click log', () => {
  it('has the sizes that training needs', () => {
    const clicks = exposures.filter(({ clicked }) => clicked).length;
    expect(log).toHaveLength(4_500);
    expect(exposures.length).toBeGreaterThan(25_000);
    expect(exposures.length).toBeLessThan(32_000);
    expect(clicks / log.length).toBeGreaterThan(0.8);
    expect(clicks / log.length).toBeLessThan(1.2);
    let withHistory = 0;
    replay((_item, clicked, recent) => {
      if (clicked && recent.length === 5) withHistory++;
    });
    expect(withHistory / clicks).toBeGreaterThan(0.55);
  });

  it('is in order of time and shows distinct items that are on sale', () => {
    const span = config.days * 86_400_000;
    const opening = Date.UTC(2024, 2, 1);
    for (const [index, view] of log.entries()) {
      expect(view.time).toBeGreaterThanOrEqual(index === 0 ? opening : log[index - 1]!.time);
      expect(new Set(view.exposures.map(({ item }) => item)).size).toBe(view.exposures.length);
      for (const { item } of view.exposures) {
        expect(catalogue[item]!.onSaleFrom).toBeLessThanOrEqual((view.time - opening) / span);
      }
    }
  });

  it('shows many items in the last tenth that nobody has clicked before', () => {
    const clicked = new Set<number>();
    let [cold, shown] = [0, 0];
    for (const [index, view] of log.entries()) {
      if (index >= 0.9 * log.length) {
        shown += view.exposures.length;
        cold += view.exposures.filter(({ item }) => !clicked.has(item)).length;
      }
      for (const exposure of view.exposures) if (exposure.clicked) clicked.add(exposure.item);
    }
    expect(cold / shown).toBeGreaterThan(0.15);
  });

  it('is told far better by looks than by popularity, and best by the taste itself', () => {
    const labels: boolean[] = [];
    const scores = { popularity: [] as number[], oracle: [] as number[], taste: [] as number[] };
    replay((item, clicked, recent, view) => {
      if (recent.length === 0) return;
      labels.push(clicked);
      scores.popularity.push(item.popularity);
      scores.oracle.push(recent.includes(item.taste) ? 1 : 0);
      scores.taste.push(view.taste === item.taste ? 1 : 0);
    });
    const popularity = auc(scores.popularity, labels);
    const oracle = auc(scores.oracle, labels);
    expect(popularity).toBeGreaterThan(0.52);
    expect(oracle).toBeGreaterThan(popularity + 0.1);
    expect(auc(scores.taste, labels)).toBeGreaterThan(oracle);
  });

  it('is explained by earlier clicks of the same taste more often than by chance', () => {
    let [explained, clicks, shared, places] = [0, 0, 0, 0];
    replay((item, clicked, recent, view) => {
      if (!clicked || item.taste !== view.taste || recent.length < 5) return;
      clicks++;
      places += recent.length;
      shared += recent.filter((taste) => taste === item.taste).length;
      if (recent.includes(item.taste)) explained++;
    });
    expect(explained / clicks).toBeGreaterThan(0.6);
    expect(shared / places).toBeLessThan(0.5);
  });

  it('fills its pages from the smallest shop with the most new items', () => {
    const smallest = shopConfig.parse({ items: 40, shoppers: 1, pageViews: 40, newItems: 0.5 });
    expect(simulateLog(smallest, makeCatalogue(smallest))).toHaveLength(40);
  });

  it('is the same for the same seed and another for another', () => {
    const small = shopConfig.parse({ items: 60, shoppers: 5, pageViews: 20 });
    const again = simulateLog(small, makeCatalogue(small));
    expect(simulateLog(small, makeCatalogue(small))).toEqual(again);
    const other = { ...small, seed: 2 };
    expect(simulateLog(other, makeCatalogue(other))).not.toEqual(again);
  });
});

describe('what goes on after the log', () => {
  const season = { from: config.days + 1, days: 3, pageViews: 500 };
  const arrivals = makeArrivals(config, season, 50);

  it('has items that arrive at the begin of each day, with ids and looks of their own', () => {
    for (const [index, item] of arrivals.entries()) {
      const arrival = beginOf(season) + Math.floor(index / 50) * DAY;
      expect(onSaleAt(item, config.days)).toBe(arrival);
      expect(isOnSale(item, arrival - 1000, config.days)).toBe(false);
      expect(isOnSale(item, arrival + 1000, config.days)).toBe(true);
    }
    const ids = new Set([...catalogue, ...arrivals].map(({ id }) => id));
    expect(ids.size).toBe(catalogue.length + 150);
    const looks = arrivals.filter(({ taste }, index) => taste === catalogue[index]!.taste);
    expect(looks.length).toBeLessThan(30);
  });

  it('has them on pages from then on, as often as others', () => {
    const both = [...catalogue, ...arrivals];
    const pages = new Pages(both, config.days, Random.seeded(1, 'pages'));
    const shareAt = (time: number) => {
      const drawn = Array.from({ length: 200 }, () => pages.compose(time, 0, 24)).flat();
      return drawn.filter((item) => item >= catalogue.length).length / drawn.length;
    };
    expect(shareAt(beginOf(season) - 1000)).toBe(0);
    const weights = (items: readonly ShopItem[]) =>
      items.reduce((sum, { popularity }) => sum + Math.exp(popularity), 0);
    expect(shareAt(beginOf(season) + 3 * DAY)).toBeCloseTo(weights(arrivals) / weights(both), 1);
  });

  it('is visited by the same shoppers, within its days but for the end of a session', () => {
    const shoppers = makeShoppers(config);
    const visits = planVisits(shoppers, season, Random.seeded(1, 'visits'));
    expect(visits).toHaveLength(500);
    const known = new Set(log.map(({ user }) => user));
    expect(visits.filter(({ shopper }) => known.has(shopper.id)).length).toBeGreaterThan(480);
    for (const { time, shopper, taste } of visits) {
      expect(time).toBeGreaterThanOrEqual(beginOf(season));
      expect(time).toBeLessThan(beginOf(season) + 3 * DAY + 600_000);
      expect(shopper.tastes).toContain(taste);
    }
  });

  it('sells more of what is to the taste, and what is dear to who likes that', () => {
    const [item] = catalogue;
    const [shopper] = makeShoppers(config);
    if (item === undefined || shopper === undefined) throw new Error('the shop is empty');
    const other = (item.taste + 1) % tastes.length;
    const chance = (price: number, spending: number, taste = item.taste) =>
      orderProbability({ ...item, price }, { ...shopper, spending }, taste);
    expect(chance(20, 0)).toBeGreaterThan(3 * chance(20, 0, other));
    expect(chance(60, 3)).toBeGreaterThan(chance(20, 3));
    expect(chance(60, -1)).toBeLessThan(chance(20, -1));
  });
});
