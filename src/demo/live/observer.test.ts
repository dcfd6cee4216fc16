import { describe, expect, it } from 'vitest';
import { defined } from '../../../test/support/measured.ts';
import { Random } from '../../random.ts';
import { makeArrivals, makeCatalogue } from '../../shop/catalogue.ts';
import { shopConfig } from '../../shop/config.ts';
import { beginOf, DAY, makeShoppers } from '../../shop/shoppers.ts';
import { Observer } from './observer.ts';

const shop = shopConfig.parse({ items: 40, shoppers: 400 });
const season = { from: shop.days, days: 2 };
const catalogue = [...makeCatalogue(shop), ...makeArrivals(shop, season, 3)];
const shoppers = makeShoppers(shop);

/** One page view of each shopper: an item from before, and one that is new since half a day. */
function observed(chances: { readonly old: number; readonly fresh: number }): Observer {
  const random = Random.seeded(1, 'observer');
  const observer = new Observer({ firstNew: shop.items, days: shop.days });
  for (const [index, shopper] of shoppers.entries()) {
    const arm = index % 2 === 0 ? 'control' : 'images';
    const time = beginOf(season) + DAY / 2;
    const better = (chance: number) => (arm === 'images' ? chance : 0.2);
    const exposures = [
      { item: 0, clicked: random.uniform() < better(chances.old), bought: false },
      { item: shop.items, clicked: random.uniform() < better(chances.fresh), bought: false },
    ];
    observer.add(
      {
        id: `${index}`,
        visit: { shopper, time, taste: 0 },
        time,
        arm,
        candidates: [0, shop.items],
        exposures,
      },
      catalogue,
    );
  }
  return observer;
}

describe('who knows the shoppers', () => {
  it('finds a lift that is planted on new items there, and none on the others', () => {
    const { ages } = observed({ old: 0.2, fresh: 0.5 }).report(['control', 'images']);
    const of = (name: string) => ages.find((age) => age.name === name);
    const lift = (name: string) => defined(of(name)?.lifts[0]);
    expect(of('new, first day')?.arms).toMatchObject([{ exposures: 200 }, { exposures: 200 }]);
    expect(lift('new, first day').ci95[0]).toBeGreaterThan(0.3);
    expect(lift('new, all').value).toBe(lift('new, first day').value);
    expect(Math.abs(lift('on sale before').value)).toBeLessThan(2.5 * lift('on sale before').standardError);
  });

  it('has no lift of what one arm alone has shown, and no row of what none has', () => {
    const observer = new Observer({ firstNew: shop.items, days: shop.days });
    const [shopper] = shoppers;
    if (shopper === undefined) throw new Error('nobody is there');
    const time = beginOf(season);
    observer.add(
      {
        ...{ id: 'alone', visit: { shopper, time, taste: 0 }, time, arm: 'images', candidates: [0] },
        exposures: [{ item: 0, clicked: true, bought: false }],
      },
      catalogue,
    );
    const { ages } = observer.report(['control', 'images']);
    expect(ages.map(({ name, lifts: [lift] }) => [name, lift?.kind])).toEqual([
      ['on sale before', 'undefined'],
    ]);
  });
});
