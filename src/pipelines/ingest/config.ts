/** Settings of ingestion, with every default. */
import { z } from 'zod';
import { hmOptions } from '../../data/sources/hm.ts';
import { ml1mOptions } from '../../data/sources/ml1m.ts';
import { tableOptions } from '../../data/sources/table-options.ts';

/** What every adapter has in common. */
const common = {
  out: z.string().min(1).describe('Dataset folder to write.'),
  name: z.string().min(1).optional().describe('Name in reports; by default that of the source.'),
  side: z.int().min(8).max(512).default(64).describe('Side of the decoded photos in pixels.'),
  photosAs: z
    .enum(['auto', 'pixels', 'jpeg'])
    .default('auto')
    .describe(
      'How decoded photos are kept: as pixels, or as JPEG files of that side, a tenth of their size, which are decoded whenever they are read. auto takes pixels up to a side of 128.',
    ),
  historyLength: z.int().min(1).max(200).default(10).describe("Items kept of each user's history."),
  counterLag: z
    .number()
    .nonnegative()
    .default(0)
    .describe(
      'Seconds after which an exposure or a click counts in base features: counters in production are late.',
    ),
  seed: z.int().nonnegative().default(1).describe('Seed of everything drawn, such as sampled candidates.'),
  maxBadRows: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe('Largest share of rows that may be skipped as unusable.'),
  append: z
    .boolean()
    .default(false)
    .describe(
      'The log holds what came after the dataset in `out`, and is appended to it; where there is none, it is made.',
    ),
  overwrite: z.boolean().default(false).describe('Make it anew even if there is a dataset in `out`.'),
};

const sourceMeaning =
  "`table` reads files whose columns you name, `hm` the layout of H&M's public sample, `ml1m` MovieLens 1M with posters.";

const sourceName = <Name extends string>(name: Name) => z.literal(name).describe(sourceMeaning);

export const ingestConfig = z.discriminatedUnion('source', [
  tableOptions.safeExtend({ source: sourceName('table'), ...common }).strict(),
  hmOptions.safeExtend({ source: sourceName('hm'), ...common }).strict(),
  ml1mOptions.safeExtend({ source: sourceName('ml1m'), ...common }).strict(),
]);

export type IngestConfigInput = z.input<typeof ingestConfig>;
export type IngestConfig = z.output<typeof ingestConfig>;
