/** The sizes of the generated shop: every default in one block. */
import { z } from 'zod';

const count = z.int().positive();

export const shopConfig = z.strictObject({
  seed: z.int().default(1),
  items: count.min(40).max(100_000).default(2_000),
  shoppers: count.max(100_000).default(300),
  pageViews: count.max(1_000_000).default(4_500),
  /** Days from the first page view to the last. */
  days: count.max(3_650).default(60),
  /** Share of the catalogue that goes on sale one by one during the last third of the time. */
  newItems: z.number().min(0).max(0.5).default(0.25),
  /** Side of the square photos in pixels. */
  photoSide: count.min(16).max(1_024).default(64),
});

export type ShopConfig = z.output<typeof shopConfig>;
export type ShopConfigInput = z.input<typeof shopConfig>;
