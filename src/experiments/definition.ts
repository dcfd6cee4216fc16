/** What an experiment is: its arms, how many users each gets from when on, and what it is about. */
import { z } from 'zod';
import { parseConfig } from '../config.ts';
import { parseTime } from '../data/sources/time.ts';
import { metricNames } from './metrics.ts';

/** Milliseconds of a day: looks are so far apart, from when the experiment is analysed on. */
export const day = 86_400_000;

/** Milliseconds since 1970-01-01 UTC, from a text. */
const moment = z.string().transform((text, context) => {
  const time = parseTime(text);
  if (time !== undefined) return time;
  context.addIssue({ code: 'custom', message: 'is not a date or time such as 2026-03-01T00:00:00Z' });
  return z.NEVER;
});

const text = z.string().min(1).max(200);

const arm = z.strictObject({
  name: text,
  /** Share of all users, 0 to 1, once the ramp has come to its end. */
  share: z.number().positive().max(1),
  /** What the users of the arm get, such as an export or switches of features: for whoever serves, nobody here reads it. */
  serves: z.record(z.string(), z.unknown()).default({}),
});

const step = z.strictObject({
  from: moment,
  /** Part of its share that each treatment has from then on; the rest of it has control. */
  part: z.number().positive().max(1),
});

const definition = z
  .strictObject({
    name: text,
    /** Another salt deals users out anew, whatever they had in other experiments. */
    salt: text,
    start: moment,
    end: moment.optional(),
    plannedDays: z.int().min(1).max(366).default(28),
    primaryMetric: z.enum(metricNames).default('gmv'),
    /** The first is control. */
    arms: z.array(arm).min(2).max(20),
    ramp: z.array(step).max(100).default([]),
  })
  .refine(({ arms }) => new Set(arms.map(({ name }) => name)).size === arms.length, {
    path: ['arms'],
    message: 'names an arm twice',
  })
  .refine(({ arms }) => arms.reduce((sum, { share }) => sum + share, 0) <= 1 + 1e-9, {
    path: ['arms'],
    message: 'has shares of more than 1 together',
  })
  .refine(({ start, end }) => end === undefined || end > start, {
    path: ['end'],
    message: 'is not after start',
  })
  .refine(({ ramp, start }) => ramp.every(({ from }) => from >= start), {
    path: ['ramp'],
    message: 'has a step before start',
  })
  .refine(
    ({ ramp }) =>
      ramp.every(({ from, part }, place) => {
        const before = ramp[place - 1];
        return before === undefined || (from > before.from && part >= before.part);
      }),
    { path: ['ramp'], message: 'has steps that are not in the order of time, or that take users away again' },
  );

export type Experiment = z.output<typeof definition>;
export type Arm = Experiment['arms'][number];

/**
 * Checks a definition, as it is read from its JSON file.
 * @throws CourierError CONFIG_INVALID, naming every wrong key
 */
export function parseExperiment(value: unknown): Experiment {
  return parseConfig(definition, value, 'experiment definition');
}

/**
 * When the shares became what they are: only from then on are arms compared, since before, who came early had another
 * chance of the treatment than who came late (Crook et al., Seven Pitfalls to Avoid when Running Controlled Experiments
 * on the Web, KDD 2009, on ramp-up and Simpson's paradox).
 *
 * @param until end of what is looked at
 * @returns milliseconds, `start` at the earliest
 */
export function sharesSince({ start, ramp }: Experiment, until: number): number {
  return ramp.reduce((since, { from }) => (from < until ? from : since), start);
}
