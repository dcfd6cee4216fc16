/** Options of the table adapter: which file and which column means what. */
import { z } from 'zod';
import { candidates } from './candidate-options.ts';
import { parseTime } from './time.ts';

const column = z.string().min(1);
const path = z.string().min(1);

const distinctColumns = z
  .array(column)
  .refine(
    (names) => new Set(names.map((name) => name.toLowerCase())).size === names.length,
    'names a column twice (upper and lower case count as the same)',
  )
  .default([]);

const timeText = z
  .string()
  .refine((text) => parseTime(text) !== undefined, 'is not a date or time such as 2024-03-01');

const log = z
  .strictObject({
    path: path.describe('CSV, JSON Lines or Parquet file: one row per exposure or per purchase.'),
    user: column.describe('Column of the user id.'),
    item: column.describe('Column of the item id.'),
    time: column.describe(
      'Column of the time: timestamp, ISO 8601 text, date, or seconds or milliseconds since 1970. Without offset it is UTC.',
    ),
    clicked: column
      .optional()
      .describe(
        'Column with 0, 1, true or false. Without it every row is a purchase, and candidates are sampled.',
      ),
    clickedAt: column
      .optional()
      .describe(
        'Column of the time of the click, where labels arrive late: a click is in histories and counters from then on. Without it: the time of the row.',
      ),
    pageView: column
      .optional()
      .describe(
        'Column whose value the rows shown together to a user share. Without it: rows of one user and one time.',
      ),
    numeric: distinctColumns.describe(
      'Columns with numbers that are known of an exposure, such as price or position.',
    ),
    context: distinctColumns.describe('Columns with categories of a page view, such as the device.'),
  })
  .refine(({ clicked, pageView }) => clicked !== undefined || pageView === undefined, {
    path: ['pageView'],
    message: 'needs `clicked`: without it candidates are sampled',
  })
  .refine(({ clicked, clickedAt }) => clicked !== undefined || clickedAt === undefined, {
    path: ['clickedAt'],
    message: 'needs `clicked`: the time of a purchase is that of its row',
  })
  .refine(({ clicked, numeric }) => clicked !== undefined || numeric.length === 0, {
    path: ['numeric'],
    message: 'needs `clicked`: sampled candidates have no such values, so they would give the answer away',
  });

const catalogue = z.strictObject({
  path: path.describe('CSV, JSON Lines or Parquet file: one row per item.'),
  item: column.describe('Column of the item id.'),
  image: column
    .optional()
    .describe(
      "Column of the photo's path below the image folder. Without it: the item id and .jpg, .jpeg, .png or .webp.",
    ),
  title: column.optional().describe('Column of the title.'),
  categories: distinctColumns.describe('Columns of categories.'),
});

export const tableOptions = z
  .object({
    log: log.describe('The click log.'),
    catalogue: catalogue.optional().describe('What is known of items besides the log.'),
    images: path.optional().describe('Folder of the photos.'),
    candidates,
    validationFrom: timeText
      .optional()
      .describe('Begin of the validation period; without it after 80 % of the page views.'),
    testFrom: timeText
      .optional()
      .describe('Begin of the test period; without it after 90 % of the page views.'),
  })
  .refine(({ catalogue, images }) => catalogue?.image === undefined || images !== undefined, {
    path: ['images'],
    message: 'is needed by `catalogue.image`',
  })
  .refine(({ validationFrom, testFrom }) => (validationFrom === undefined) === (testFrom === undefined), {
    path: ['validationFrom'],
    message: '`validationFrom` and `testFrom` must be given together',
  })
  .refine(({ log, candidates }) => log.clicked === undefined || candidates === undefined, {
    path: ['candidates'],
    message: 'are exposed, not sampled, in a log with `clicked`',
  });

export type TableOptions = z.output<typeof tableOptions>;
