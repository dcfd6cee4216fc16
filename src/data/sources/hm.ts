/** Adapter for the H&M fashion layout: transactions.csv, articles.csv, images; protocols hm-v2 and hm-v1. */

import { join } from 'node:path';
import { z } from 'zod';
import { CourierError } from '../../errors.ts';
import { groupRows } from '../../groups.ts';
import { safePlace } from '../../progress.ts';
import { Random } from '../../random.ts';
import { encodeCategories } from '../categories.ts';
import { type Clicks, lowerBound, orderByTime } from '../clicks.ts';
import { BadRows, Findings } from '../findings.ts';
import { Indexer } from '../indexer.ts';
import { candidates, defaultCandidates } from './candidate-options.ts';
import { PhotoCollection, photoOf } from './photo-collection.ts';
import { type SampledPageViews, samplePageViews } from './sampled-page-views.ts';
import {
  rowsBetweenSafePlaces,
  type Source,
  type SourceContext,
  type SourceData,
  type SourceItem,
} from './source.ts';
import { readTextTable } from './text-table.ts';
import { parseTime } from './time.ts';
import { parseNumber } from './words.ts';

export const hmOptions = z.object({
  folder: z.string().min(1).describe('Folder with transactions.csv, articles.csv and images.'),
  candidates,
});

const day = 86_400_000;
const articleId = /^\d{10}$/;
const splitTimes = { validationFrom: Date.UTC(2020, 3, 1), testFrom: Date.UTC(2020, 5, 1) };
const articleCategories = ['product_type_name', 'colour_group_name', 'department_name'] as const;

export const hmSource: Source<z.output<typeof hmOptions>> = {
  options: hmOptions,
  name: () => 'hm',
  inputs: async ({ folder }) =>
    ['transactions.csv', 'articles.csv', 'images'].map((name) => join(folder, name)),
  async read({ folder, candidates = defaultCandidates }, context): Promise<SourceData> {
    const findings = new Findings();
    const images = await PhotoCollection.open(join(folder, 'images'));
    const { users, articles, purchases } = await readPurchases(folder, context, findings);
    const items = await readItems(folder, articles, images, context, findings);
    const { clicks } = purchases;
    const views = samplePageViews(
      clicks,
      day,
      candidates,
      Random.seeded(context.seed, 'candidates'),
      findings,
    );
    const time = Float64Array.from(views.target, (row) => clicks.time[row]!);
    const channels = Array.from(views.target, (row) => purchases.channel[row] ?? null);
    return {
      users: users.ids,
      items,
      categoryNames: ['product_code', ...articleCategories],
      clicks,
      shown: null,
      counterPeriod: day,
      pageViews: {
        user: Int32Array.from(views.target, (row) => clicks.user[row]!),
        time,
        splitTimes,
        start: views.start,
        context: [encodeCategories('sales_channel', channels)],
      },
      exposures: {
        item: views.item,
        clicked: views.clicked,
        logged: null,
        numeric: [{ name: 'price', values: earlierPrices(purchases, views, items.length) }],
      },
      history: null,
      candidateSampling: views.sampling,
      candidatesAreSampled: true,
      understood: [],
      findings: findings.list(),
    };
  },
};

/** Purchases in the order of day and file. (C) */
interface Purchases {
  readonly clicks: Clicks;
  /** NaN where missing. */
  readonly price: Float64Array;
  readonly channel: readonly (string | null)[];
}

interface Purchase {
  readonly user: number;
  readonly item: number;
  readonly time: number;
  readonly price: number;
  readonly channel: string | null;
}

async function readPurchases(
  folder: string,
  context: SourceContext,
  findings: Findings,
): Promise<{ users: Indexer; articles: Indexer; purchases: Purchases }> {
  const file = 'transactions.csv';
  const badRows = new BadRows(file, findings);
  const names = ['t_dat', 'customer_id', 'article_id', 'price', 'sales_channel_id'];
  const table = await readTextTable(join(folder, file), names, {
    what: 'Purchase log',
    badRows,
    findings,
    signal: context.signal,
  });
  const users = new Indexer();
  const articles = new Indexer();
  const rows: Purchase[] = [];
  for (const [index, row] of table.row.entries()) {
    if (index % rowsBetweenSafePlaces === 0) await safePlace(context.signal);
    const [date = null, customer = null, article = null, price = null, channel = null] = names.map(
      (name) => table.columns.get(name)?.[index]?.trim() ?? null,
    );
    const time = parseTime(date ?? '');
    const amount = parseNumber(price);
    if (time === undefined) badRows.skip(row, 't_dat is no date', date);
    else if (customer === null || customer === '') badRows.skip(row, 'empty customer_id', customer);
    else if (article === null || !articleId.test(article))
      badRows.skip(row, 'article_id without 10 digits', article);
    else if (amount === undefined) badRows.skip(row, 'price is not a finite number', price);
    else {
      if (table.duplicate[index]) findings.add('Identical purchases, kept as several pieces', `row ${row}`);
      const ids = { user: users.indexOf(customer), item: articles.indexOf(article) };
      rows.push({ ...ids, time: Math.floor(time / day) * day, price: amount, channel });
    }
  }
  badRows.check(table.total, context.maxBadRows);
  if (rows.length === 0) throw emptyLog(folder);
  return { users, articles, purchases: inOrder(rows) };
}

/**
 * The log knows days only; its order tells what came first within one (sorted by day, then by file order). So the n-th purchase of a day is put n milliseconds into it.
 */
function inOrder(rows: readonly Purchase[]): Purchases {
  const ordered = Array.from(orderByTime(rows.map(({ time }) => time)), (row) => rows[row]!);
  let first = 0;
  const time = Float64Array.from(ordered, (purchase, row) => {
    if (purchase.time !== ordered[first]!.time) first = row;
    return purchase.time + row - first;
  });
  return {
    clicks: {
      user: Int32Array.from(ordered, ({ user }) => user),
      item: Int32Array.from(ordered, ({ item }) => item),
      time,
    },
    price: Float64Array.from(ordered, ({ price }) => price),
    channel: ordered.map(({ channel }) => channel),
  };
}

/** Every article that was bought or has a photo, with what articles.csv knows of it. */
async function readItems(
  folder: string,
  articles: Indexer,
  images: PhotoCollection,
  context: SourceContext,
  findings: Findings,
): Promise<SourceItem[]> {
  for (const name of images.names) {
    if (articleId.test(name)) articles.indexOf(name);
    else findings.add('Photos whose name is no article_id, ignored', name);
  }
  const known = await readArticles(folder, context, findings);
  return articles.ids.map((id) => {
    const article = known.get(id);
    if (article === undefined) findings.add('Articles without metadata', id);
    const categories = article?.categories ?? articleCategories.map(() => null);
    return {
      id,
      photo: photoOf(images.ofItem(id)),
      title: article?.title ?? null,
      categories: [id.slice(0, 7), ...categories],
    };
  });
}

type Article = Pick<SourceItem, 'title' | 'categories'>;

async function readArticles(
  folder: string,
  context: SourceContext,
  findings: Findings,
): Promise<Map<string, Article>> {
  const file = 'articles.csv';
  const badRows = new BadRows(file, findings);
  const names = ['article_id', 'prod_name', ...articleCategories];
  const table = await readTextTable(join(folder, file), names, {
    what: 'Catalogue',
    badRows,
    findings,
    signal: context.signal,
  });
  const articles = new Map<string, Article>();
  for (const [index, row] of table.row.entries()) {
    const cell = (name: string): string | null => table.columns.get(name)?.[index]?.trim() || null;
    const id = cell('article_id') ?? '';
    if (!articleId.test(id)) badRows.skip(row, 'article_id without 10 digits', id);
    else if (articles.has(id)) findings.add('Catalogue rows of an item already seen, dropped', id);
    else articles.set(id, { title: cell('prod_name'), categories: articleCategories.map(cell) });
  }
  badRows.check(table.total, context.maxBadRows);
  return articles;
}

/**
 * What anyone last paid for each candidate on a strictly earlier day, for the bought one too: its price of
 * the day would tell it from the others. NaN where nobody did. (R)
 */
function earlierPrices(
  { clicks, price }: Purchases,
  views: SampledPageViews,
  itemCount: number,
): Float64Array {
  const byItem = groupRows(clicks.item, itemCount);
  const timeAt = (position: number): number => clicks.time[byItem.rows[position]!]!;
  const prices = new Float64Array(views.item.length).fill(Number.NaN);
  for (let view = 0; view < views.target.length; view++) {
    const time = Math.floor(clicks.time[views.target[view]!]! / day) * day;
    for (let row = views.start[view]!; row < views.start[view + 1]!; row++) {
      const first = byItem.start[views.item[row]!]!;
      let position = lowerBound(timeAt, time, first, byItem.start[views.item[row]! + 1]!) - 1;
      while (position >= first && Number.isNaN(price[byItem.rows[position]!]!)) position--;
      if (position >= first) prices[row] = price[byItem.rows[position]!]!;
    }
  }
  return prices;
}

function emptyLog(folder: string): CourierError {
  return new CourierError('LOG_EMPTY', `transactions.csv in ${folder} has no rows.`, 'Check the folder.');
}
