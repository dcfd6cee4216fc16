/** How long is searched, and among what. */
import { z } from 'zod';
import { searchSpace } from './space.ts';

export const searchSettings = z.strictObject({
  budget: z
    .int()
    .min(1)
    .max(10_000)
    .default(9)
    .describe('Settings tried in the first round, `pretrain` as it is among them.'),
  reduction: z
    .int()
    .min(2)
    .max(10)
    .default(3)
    .describe(
      'Of each round the best 1/`reduction` go on to the next, which trains `reduction` times as many steps.',
    ),
  space: searchSpace
    .prefault({})
    .describe('What is searched. A list is drawn from, each value equally likely.'),
});

export type SearchSettings = z.output<typeof searchSettings>;
