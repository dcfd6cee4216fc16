/** The sizes of the generated shop: every default in one block. */
import { z } from 'zod';

const count = z.int().positive();

export const shopConfig = z.strictObject({
  seed: z.int().default(1).describe('Seed of looks, tastes and clicks.'),
  items: count.min(40).max(100_000).default(2_000).describe('Items in the catalogue.'),
  shoppers: count.max(100_000).default(300).describe('Users.'),
  pageViews: count.max(1_000_000).default(4_500).describe('Page views in the log.'),
  days: count.max(3_650).default(60).describe('Days from the first page view to the last.'),
  newItems: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.25)
    .describe('Share of the catalogue that goes on sale one by one during the last third of the time.'),
  photoSide: count.min(16).max(1_024).default(64).describe('Side of the square photos in pixels.'),
});

/** The shop and where it goes. */
export const shopFolderConfig = shopConfig.extend({
  out: z.string().min(1).describe('Folder for catalogue, click log and photos.'),
});

export type ShopConfig = z.output<typeof shopConfig>;
export type ShopFolderConfigInput = z.input<typeof shopFolderConfig>;
