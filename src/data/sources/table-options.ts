/** Options of the table adapter: which file and which column means what. */
import { z } from 'zod';
import { isBucket } from './bucket-photos.ts';
import { candidates } from './candidate-options.ts';
import { parseTime } from './time.ts';

const column = z.string().min(1);
const path = z.string().min(1);

/** What an input of rows may be. */
const inputs =
  'A file, a pattern, a folder of parts, or a query that begins with SELECT: CSV, TSV, JSON Lines, JSON or Parquet, texts also with .gz or .zst.';

const textSettings = {
  encoding: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Encoding of text files, such as latin1, gbk or utf-16le. Without it: by its mark, else UTF-8.',
    ),
  quote: z
    .enum(['auto', 'none', '"', "'"])
    .default('auto')
    .describe(
      'The character around values that hold separators. `auto`: a quotation mark, but in files with tabs only where the header has some.',
    ),
};

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
    path: path.describe(`One row per exposure or per purchase. ${inputs}`),
    ...textSettings,
    user: column.describe(
      'Column of the user id. This and every other column may be an SQL expression over the columns (DuckDB); in text files every column is text.',
    ),
    item: column.describe('Column of the item id.'),
    time: column.describe(
      'Column of the time, understood over the whole column: timestamps, ISO 8601, seconds to nanoseconds since 1970, stamps such as yyyymmddHH, dates with slashes or dots. Without offset it is UTC.',
    ),
    clicked: column
      .optional()
      .describe(
        'Column with 0 and 1, true and false, yes and no, or the values of `clickedValues`. Without it every row is a purchase, and candidates are sampled.',
      ),
    clickedValues: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Values of `clicked` that are clicks; all others are none.'),
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
    pageViewMinutes: z
      .number()
      .positive()
      .default(30)
      .describe(
        'A page view that spans more minutes is several: numbers of page views begin again, every day or with every session.',
      ),
    history: column
      .optional()
      .describe(
        'Column with the list of items that the user had clicked before, for logs that come with it. Without it: what the log says the user clicked earlier.',
      ),
    historyNewest: z
      .enum(['last', 'first'])
      .default('last')
      .describe('Where in that list the newest item stands.'),
    numeric: distinctColumns.describe(
      'Columns with numbers that are known of an exposure, such as price or position.',
    ),
    context: distinctColumns.describe('Columns with categories of a page view, such as the device.'),
  })
  .refine(({ clicked, pageView }) => clicked !== undefined || pageView === undefined, {
    path: ['pageView'],
    message: 'needs `clicked`: without it candidates are sampled',
  })
  .refine(({ clicked, clickedValues }) => clicked !== undefined || clickedValues === undefined, {
    path: ['clickedValues'],
    message: 'needs `clicked`: they are values of that column',
  })
  .refine(({ clicked, clickedAt }) => clicked !== undefined || clickedAt === undefined, {
    path: ['clickedAt'],
    message: 'needs `clicked`: the time of a purchase is that of its row',
  })
  .refine(({ clicked, history }) => clicked !== undefined || history === undefined, {
    path: ['history'],
    message: 'needs `clicked`: sampled candidates have no row of their own',
  })
  .refine(({ clicked, numeric }) => clicked !== undefined || numeric.length === 0, {
    path: ['numeric'],
    message: 'needs `clicked`: sampled candidates have no such values, so they would give the answer away',
  });

const catalogue = z.strictObject({
  path: path.describe(`One row per item. ${inputs}`),
  ...textSettings,
  item: column.describe('Column of the item id.'),
  image: column
    .optional()
    .describe(
      "Column of the photo's path in the image folder, in any form. Without it: the photo named like the item, or the first in a folder named so.",
    ),
  title: column.optional().describe('Column of the title.'),
  categories: distinctColumns.describe('Columns of categories.'),
});

export const tableOptions = z
  .object({
    log: log.describe('The click log.'),
    catalogue: catalogue.optional().describe('What is known of items besides the log.'),
    images: path
      .optional()
      .describe(
        'Where the photos are: a folder, .tar archives (a file, a pattern, a folder of them), or s3://bucket/folder.',
      ),
    download: z
      .boolean()
      .default(false)
      .describe(
        'Fetches photos whose column holds addresses (https://) into the folder `images`, where they are found the next time.',
      ),
    minimumJoin: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe(
        'Share of the exposures that the catalogue has to know, where there is one, and that have to have a photo file, where there is a folder. Less is an error: ids that do not meet are the usual cause.',
      ),
    candidates,
    validationFrom: timeText
      .optional()
      .describe('Begin of the validation period; without it after 80 % of the page views.'),
    testFrom: timeText
      .optional()
      .describe('Begin of the test period; without it after 90 % of the page views.'),
  })
  .refine(({ download, images }) => !download || (images !== undefined && !isBucket(images)), {
    path: ['images'],
    message: 'is needed by `download`: a folder to keep photos in',
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
