/** Settings of the report on an experiment and of its power calculator, with every default. */
import { z } from 'zod';
import { parseTime } from '../../data/sources/time.ts';
import { metricNames } from '../../experiments/metrics.ts';

const column = z.string().min(1);

const inputs =
  'A file, a pattern, a folder of parts, or a query that begins with SELECT: CSV, TSV, JSON Lines, JSON or Parquet.';

const eventColumns = {
  user: column
    .default('user')
    .describe(
      'Column of the user id. This and every other column may be an SQL expression over the columns.',
    ),
  time: column.default('time').describe('Column of the time, understood over the whole column.'),
  event: column
    .optional()
    .describe('Column of an id of the event: of rows with the same one the first counts.'),
  encoding: z
    .string()
    .min(1)
    .optional()
    .describe('Encoding of text files; without it: by its mark, else UTF-8.'),
};

const exposures = z.strictObject({
  path: z.string().min(1).describe(`One row for each exposure. ${inputs}`),
  ...eventColumns,
  arm: column
    .default('arm')
    .describe('Column of the arm that the exposure was served by; it may be empty before the experiment.'),
  experiment: column
    .optional()
    .describe(
      'Column of the name of the experiment, where rows are of several; rows of others are left out, but for those from before.',
    ),
  clicked: column
    .optional()
    .describe('Column that says whether the exposure was clicked, in place of `clicks`.'),
});

const clicks = z.strictObject({
  path: z.string().min(1).describe(`One row for each click. ${inputs}`),
  ...eventColumns,
});

const orders = z.strictObject({
  path: z.string().min(1).describe(`One row for each order. ${inputs}`),
  ...eventColumns,
  revenue: column
    .default('revenue')
    .describe('Column of what the order came to. Less than 0 is a return, which is no order.'),
});

const moment = z
  .string()
  .refine((text) => parseTime(text) !== undefined, 'is not a date or time such as 2026-03-01');

const shared = {
  clicks: clicks.optional().describe('Clicks as events of their own.'),
  orders: orders.optional().describe('Orders, for GMV and orders a user.'),
  daysBefore: z
    .int()
    .min(0)
    .max(366)
    .default(28)
    .describe('Days before the experiment whose events CUPED goes by; 0 for none.'),
  winsorize: z
    .number()
    .min(0.9)
    .lt(1)
    .nullable()
    .default(null)
    .describe(
      'Quantile of users, such as 0.999, beyond which revenue counts as that much; null takes it as it is. To be chosen before anybody looks.',
    ),
  maxBadRows: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe('Largest share of the rows of a file that may be skipped as unusable.'),
};

const oneKindOfClicks = 'are told by `exposures.clicked` already';

export const experimentReportConfig = z
  .strictObject({
    definition: z.string().min(1).describe('JSON file of the experiment: salt, arms, ramp, metric.'),
    exposures: exposures.describe('Who was shown something, by which arm.'),
    ...shared,
    until: moment
      .optional()
      .describe('Later events are left out; without it the end of the experiment, or the last exposure.'),
    cuped: z
      .boolean()
      .default(true)
      .describe('Whether lifts are adjusted by the time before, where there is any.'),
    looks: z
      .enum(['daily', 'once'])
      .default('daily')
      .describe(
        'What the headline goes by: `daily` by the sequential test, whenever somebody looks; `once` by the test of a single look at the planned end.',
      ),
    out: z.string().min(1).describe('Folder for report.json and report.html.'),
  })
  .refine(({ exposures, clicks }) => exposures.clicked === undefined || clicks === undefined, {
    path: ['clicks'],
    message: oneKindOfClicks,
  });

export const experimentPowerConfig = z
  .strictObject({
    lift: z
      .number()
      .positive()
      .max(10)
      .describe('Lift that shall be found, relative to control: 0.01 is one percent.'),
    power: z.number().min(0.05).max(0.999).default(0.8).describe('Probability with which it shall be found.'),
    treatments: z.int().min(1).max(19).default(1).describe('Arms beside control.'),
    days: z
      .int()
      .min(1)
      .max(366)
      .default(28)
      .describe('Planned days, each with a look; of a baseline file the last so many days are taken.'),
    metric: z.enum(metricNames).default('gmv').describe('What the lift is of, where a baseline is read.'),
    mean: z
      .number()
      .positive()
      .optional()
      .describe('Mean of the metric among users, in place of `exposures`.'),
    sd: z.number().positive().optional().describe('Standard deviation of the metric among users.'),
    explained: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe(
        'Share of the variance that the time before explains, for CUPED; a baseline tells it itself.',
      ),
    users: z
      .int()
      .min(2)
      .optional()
      .describe('Users of each arm that there will be: the lift that they would find is told, too.'),
    exposures: exposures
      .omit({ arm: true, experiment: true })
      .optional()
      .describe('Exposures of a time without an experiment: the baseline.'),
    ...shared,
  })
  .refine(
    ({ exposures, mean, sd }) =>
      exposures === undefined
        ? mean !== undefined && sd !== undefined
        : mean === undefined && sd === undefined,
    'needs either `mean` and `sd`, or a baseline with `exposures`',
  )
  .refine(({ exposures, clicks }) => exposures?.clicked === undefined || clicks === undefined, {
    path: ['clicks'],
    message: oneKindOfClicks,
  });

export type ExperimentReportConfig = z.output<typeof experimentReportConfig>;
export type ExperimentReportConfigInput = z.input<typeof experimentReportConfig>;
export type ExperimentPowerConfig = z.output<typeof experimentPowerConfig>;
export type ExperimentPowerConfigInput = z.input<typeof experimentPowerConfig>;
