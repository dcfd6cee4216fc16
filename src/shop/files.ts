/** Which files a generated shop has, and what ingestion has to know of them. */
import { join } from 'node:path';

export interface ShopFiles {
  /** Columns item_id, image, title, collection, price. */
  readonly catalogue: string;
  /** Columns page_view, user, time, item_id, position, price, clicked: one row per exposure. */
  readonly clicks: string;
  /** Photos, named as the catalogue's column image says. */
  readonly images: string;
  /** Looks and tastes, for `loadTruth`. Written last: a shop that has it is whole. */
  readonly truth: string;
}

/** The files of the shop in a folder, whether they are there yet or not. */
export function shopFiles(folder: string): ShopFiles {
  return {
    catalogue: join(folder, 'catalogue.csv'),
    clicks: join(folder, 'clicks.csv'),
    images: join(folder, 'images'),
    truth: join(folder, 'truth.json'),
  };
}

/** The settings with which `ingest` reads the shop. */
export function shopSource({ catalogue, clicks, images }: ShopFiles) {
  return {
    source: 'table' as const,
    images,
    log: {
      path: clicks,
      user: 'user',
      item: 'item_id',
      time: 'time',
      clicked: 'clicked',
      pageView: 'page_view',
      numeric: ['price', 'position'],
    },
    catalogue: {
      path: catalogue,
      item: 'item_id',
      image: 'image',
      title: 'title',
      categories: ['collection'],
    },
  };
}
