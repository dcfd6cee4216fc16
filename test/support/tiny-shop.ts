/** Generated shops of a few items, in every layout that an adapter reads: tests need no real data. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { Random } from '../../src/random.ts';

const day = 86_400_000;

/** A photo of one colour, in the format that the extension says. */
export async function writePhoto(path: string, colour: number, side = 12): Promise<void> {
  const background = { r: (colour * 37) % 256, g: (colour * 91) % 256, b: (colour * 151) % 256 };
  await sharp({ create: { width: side, height: side, channels: 3, background } }).toFile(path);
}

export function csv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.join(',')}\n`).join('');
}

/**
 * The H&M layout: transactions.csv, articles.csv, images. 16 customers buy 12 times each, from 2019-12 to
 * 2020-08, among 24 articles, two of which are in no articles.csv.
 */
export async function writeTinyHm(folder: string): Promise<{ folder: string }> {
  const random = Random.seeded(7, 'tiny-hm');
  await mkdir(join(folder, 'images'), { recursive: true });
  const articles = Array.from({ length: 24 }, (_, item) => `0${100_000 + (item >> 1)}00${item % 2}`).map(
    (id) => id.padEnd(10, '0'),
  );
  const rows = Array.from({ length: 16 * 12 }, (_, row) => {
    const date = new Date(Date.UTC(2019, 11, 1) + random.integer(270) * day).toISOString().slice(0, 10);
    const price = (0.01 * (1 + random.integer(9))).toFixed(2);
    return [date, `customer${row % 16}`, random.pick(articles), price, 1 + random.integer(2)];
  }).sort((a, b) => String(a[0]).localeCompare(String(b[0])));
  const header = ['t_dat', 'customer_id', 'article_id', 'price', 'sales_channel_id'];
  await writeFile(join(folder, 'transactions.csv'), csv([header, ...rows]));
  const known = articles
    .slice(2)
    .map((id, item) => [id, `"Shirt, no. ${item}"`, item % 3 ? 'Top' : 'Bag', 'Red', 'Basics']);
  const names = ['article_id', 'prod_name', 'product_type_name', 'colour_group_name', 'department_name'];
  await writeFile(join(folder, 'articles.csv'), csv([names, ...known]));
  for (const [item, id] of articles.entries()) await writePhoto(join(folder, 'images', `${id}.jpg`), item);
  return { folder };
}

export interface TinyTable {
  readonly log: {
    path: string;
    user: string;
    item: string;
    time: string;
    clicked: string;
    numeric: string[];
    context: string[];
  };
  readonly catalogue: { path: string; item: string; image: string; title: string; categories: string[] };
  readonly images: string;
}

/**
 * The table layout: log.csv, catalogue.csv, images. 60 page views of 4 items, one or none clicked, among 12
 * items and 6 users. Every price of item 3 is missing; titles have commas.
 */
export async function writeTinyTable(folder: string): Promise<TinyTable> {
  const random = Random.seeded(7, 'tiny-table');
  await mkdir(join(folder, 'images'), { recursive: true });
  const log: (string | number)[][] = [['user', 'item', 'time', 'clicked', 'price', 'device']];
  for (let view = 0; view < 60; view++) {
    const time = new Date(Date.UTC(2024, 0, 1) + view * 5 * 3_600_000).toISOString();
    const items = random.shuffle(Array.from({ length: 12 }, (_, item) => item)).slice(0, 4);
    const clicked = view % 7 === 6 ? -1 : random.integer(4);
    const device = random.pick(['phone', 'desktop']);
    for (const [place, item] of items.entries()) {
      const price = item === 3 ? '' : 10 + item;
      log.push([`user${view % 6}`, `item${item}`, time, place === clicked ? 1 : 0, price, device]);
    }
  }
  const catalogue = Array.from({ length: 12 }, (_, item) => {
    return [`item${item}`, `photo${item}.png`, `"Item, no. ${item}"`, item % 2 ? 'odd' : 'even'];
  });
  await writeFile(join(folder, 'log.csv'), csv(log));
  await writeFile(join(folder, 'catalogue.csv'), csv([['id', 'photo', 'title', 'kind'], ...catalogue]));
  for (let item = 0; item < 12; item++) await writePhoto(join(folder, 'images', `photo${item}.png`), item);
  return {
    log: {
      path: join(folder, 'log.csv'),
      user: 'user',
      item: 'item',
      time: 'time',
      clicked: 'clicked',
      numeric: ['price'],
      context: ['device'],
    },
    catalogue: {
      path: join(folder, 'catalogue.csv'),
      item: 'id',
      image: 'photo',
      title: 'title',
      categories: ['kind'],
    },
    images: join(folder, 'images'),
  };
}
