/** Options of logs that tell only what was bought: where the other candidates of a page view come from. */
import { z } from 'zod';

const meaning =
  '`window` (protocol hm-v2) draws from what other users bought for the first time on the same days, so that popularity ' +
  'and novelty tell nothing; `earlier` (hm-v1) draws from the last 3,000 purchases before the day or moment and gives ' +
  'answers away, for comparison with earlier tables only.';

const fromWindow = z.strictObject({
  from: z.literal('window').default('window').describe(meaning),
  days: z
    .int()
    .min(1)
    .max(365)
    .default(7)
    .describe('Length of the window in days; it begins with the day, or the moment, of the page view.'),
  number: z.int().min(1).max(100).default(4).describe('Candidates drawn beside the bought one.'),
});

const fromEarlier = z.strictObject({ from: z.literal('earlier').describe(meaning) });

const candidateOptions = z.discriminatedUnion('from', [fromWindow, fromEarlier]);

export type WindowOptions = z.output<typeof fromWindow>;
export type CandidateOptions = z.output<typeof candidateOptions>;

/** The setting of every adapter that reads such logs. */
export const candidates = candidateOptions
  .optional()
  .describe('Of a log that tells purchases only: where candidates that were not bought come from.');

/** Protocol hm-v2. */
export const defaultCandidates: CandidateOptions = candidateOptions.parse({});
