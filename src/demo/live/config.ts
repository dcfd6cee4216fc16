/** Settings of the live demo, with every default. */
import { z } from 'zod';
import { withDefault } from '../../config.ts';
import { featureSetText } from '../../features/index.ts';
import { shopConfig } from '../../shop/config.ts';
import { demoChoices, demoPretraining, demoRanker, demoSide } from '../config.ts';

const { shoppers, pageViews } = shopConfig.shape;

export const liveConfig = z
  .strictObject({
    out: z
      .string()
      .min(1)
      .default('runs/live')
      .describe("Folder for the shop, the exports, the server's record and the report."),
    shop: shopConfig
      .extend({ shoppers: withDefault(shoppers, 600), pageViews: withDefault(pageViews, 9_000) })
      .prefault({})
      .describe('The generated shop, up to the experiment.'),
    side: demoSide,
    pretrain: demoPretraining,
    ranker: demoRanker,
    choices: demoChoices,
    features: z
      .union([z.literal('none'), featureSetText])
      .default('sim-tier')
      .describe(
        'How embeddings enter the ranker of the arm `images`. none: an arm `same` in its place has the ranker without images, too, so that there is no lift to be found.',
      ),
    days: z.int().min(1).max(90).default(14).describe('Days of the experiment.'),
    pageViews: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(6_000)
      .describe('Page views of the experiment, by the shoppers of the shop.'),
    candidates: z
      .int()
      .min(1)
      .max(1_000)
      .default(24)
      .describe('Items that are scored for a page view, drawn as those of the log were.'),
    shown: z
      .int()
      .min(1)
      .max(100)
      .default(6)
      .describe('Items that are shown of them, those with the highest scores.'),
    newItems: z
      .int()
      .min(0)
      .max(10_000)
      .default(40)
      .describe('Items that arrive on each day, photo and all, and are candidates at once.'),
  })
  .refine(({ shown, candidates }) => shown <= candidates, {
    path: ['shown'],
    message: 'is more than `candidates`',
  })
  .refine(({ candidates, shop }) => candidates <= (1 - shop.newItems) * shop.items, {
    path: ['candidates'],
    message: 'is more than the shop has in its first assortment',
  });

export type LiveConfig = z.output<typeof liveConfig>;
export type LiveConfigInput = z.input<typeof liveConfig>;
