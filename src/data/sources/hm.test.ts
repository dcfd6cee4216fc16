import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { csv, writePhoto } from '../../../test/support/tiny-shop.ts';
import { buildHistories } from '../history.ts';
import type { CandidateOptions } from './candidate-options.ts';
import { sources } from './index.ts';

const article = (number: number) => String(1_000_000_000 + number);

/**
 * One customer buys articles 1 to 4, the last three on one day; another buys 5 to 9 long before; four more buy 14 to 17 two
 * days after.
 */
async function readShop(candidates?: CandidateOptions) {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'images'));
  await writePhoto(join(folder, 'images', `${article(1)}.jpg`), 1);
  const others = [5, 6, 7, 8, 9].map((number) => ['2020-01-01', 'other', article(number), 0.5, 1]);
  const own = [
    ['2020-01-02', 'one', article(1), 0.1, 1],
    ['2020-04-03', 'one', article(2), 0.2, 1],
    ['2020-06-03', 'one', article(3), 0.3, 2],
    ['2020-06-03', 'one', article(4), 0.4, 2],
    ['2020-06-03', 'one', article(4), 0.4, 2],
  ];
  // Page views of the training and the validation period, which the protocol's split must not find empty.
  const third = [
    ['2020-01-03', 10],
    ['2020-01-04', 11],
    ['2020-01-05', 12],
    ['2020-04-20', 13],
  ].map(([date, number]) => [date!, 'third', article(Number(number)), 0.6, 1]);
  const later = [14, 15, 16, 17].map((number) => ['2020-06-05', `later${number}`, article(number), 0.7, 1]);
  const header = ['t_dat', 'customer_id', 'article_id', 'price', 'sales_channel_id'];
  await writeFile(join(folder, 'transactions.csv'), csv([header, ...others, ...third, ...own, ...later]));
  const columns = ['article_id', 'prod_name', 'product_type_name', 'colour_group_name', 'department_name'];
  await writeFile(join(folder, 'articles.csv'), csv([columns]));
  return sources
    .hm({ source: 'hm', folder, candidates })
    .read({ seed: 1, maxBadRows: 0, historyLength: 5, scratch: tmpdir() });
}

describe('the H&M adapter', () => {
  it('orders purchases by day, then by file order: what was bought earlier the same day is history', async () => {
    const { items, users, clicks, pageViews, exposures } = await readShop();
    const history = buildHistories(clicks, pageViews, users.length, 4);
    const views = Array.from(pageViews.user, (user, view) => {
      const rows = Array.from(exposures.item.subarray(pageViews.start[view], pageViews.start[view + 1]));
      const bought = rows.find((_, place) => exposures.clicked[pageViews.start[view]! + place] === 1)!;
      const earlier = [...history.subarray(view * 4, view * 4 + 4)].filter((item) => item >= 0);
      return {
        user: users[user],
        bought: items[bought]!.id,
        earlier: earlier.map((item) => items[item]!.id),
      };
    }).filter(({ user }) => user === 'one');
    expect(views).toEqual([
      { user: 'one', bought: article(3), earlier: [article(2), article(1)] },
      { user: 'one', bought: article(4), earlier: [article(3), article(2), article(1)] },
    ]);
  });

  it('draws candidates from the same days (hm-v2), while prices come from strictly earlier ones', async () => {
    const { items, pageViews, exposures } = await readShop();
    const june = pageViews.start[pageViews.time.findIndex((time) => time >= Date.UTC(2020, 5, 3))];
    const shown = Array.from(
      exposures.item.subarray(june),
      (item) => Number(items[item]!.id) - 1_000_000_000,
    );
    expect(shown.toSorted((a, b) => a - b)).toEqual([3, 4, 14, 14, 15, 15, 16, 16, 17, 17]);
    const [price] = exposures.numeric;
    for (const value of price!.values.subarray(june)) expect(value).toBeNaN();
  });

  it('draws candidates and prices from strictly earlier days where they are earlier purchases (hm-v1)', async () => {
    const { items, pageViews, exposures } = await readShop({ from: 'earlier' });
    const [price] = exposures.numeric;
    expect(pageViews.user.length).toBeGreaterThan(0);
    for (const [row, item] of exposures.item.entries()) {
      const number = Number(items[item]!.id) - 1_000_000_000;
      const view = pageViews.start.findLastIndex((start) => start <= row);
      if (pageViews.time[view]! < Date.UTC(2020, 5, 3)) continue;
      // Articles 3 and 4 were never bought before that day, so only the bought one of the two may be shown.
      if (number === 3 || number === 4)
        expect([exposures.clicked[row], price!.values[row]]).toEqual([1, Number.NaN]);
      else expect(price!.values[row]).toBeGreaterThan(0);
    }
  });

  it('takes the first seven digits of an article as its product code', async () => {
    const { items, categoryNames } = await readShop();
    expect(categoryNames[0]).toBe('product_code');
    expect(items.every(({ id, categories }) => categories[0] === id.slice(0, 7))).toBe(true);
  });
});
