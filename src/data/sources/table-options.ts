/** Options of the table adapter: which file and which column means what. */
import { z } from 'zod';
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
    /** CSV, JSON Lines or Parquet: one row per exposure or per purchase. */
    path,
    user: column,
    item: column,
    /** Timestamp, ISO 8601 text, date, or seconds or milliseconds since 1970. Without offset it is UTC. */
    time: column,
    /** 0, 1, true or false. Without it every row is a purchase, and candidates are sampled. */
    clicked: column.optional(),
    /** Rows of one user and one value are shown together. Without it: rows of one user and one time. */
    pageView: column.optional(),
    /** What is known of an exposure, such as price or position. */
    numeric: distinctColumns,
    /** What is known of a page view, such as the device. */
    context: distinctColumns,
  })
  .refine(({ clicked, pageView }) => clicked !== undefined || pageView === undefined, {
    path: ['pageView'],
    message: 'needs `clicked`: without it candidates are sampled',
  })
  .refine(({ clicked, numeric }) => clicked !== undefined || numeric.length === 0, {
    path: ['numeric'],
    message: 'needs `clicked`: sampled candidates have no such values, so they would give the answer away',
  });

const catalogue = z.strictObject({
  path,
  item: column,
  /** Path of the photo below the image folder. Without it: the item id and .jpg, .jpeg, .png or .webp. */
  image: column.optional(),
  title: column.optional(),
  categories: distinctColumns,
});

export const tableOptions = z
  .object({
    log,
    catalogue: catalogue.optional(),
    /** Folder of the photos. */
    images: path.optional(),
    /** Begin of the validation and of the test split; without them after 80 % and 90 % of the page views. */
    validationFrom: timeText.optional(),
    testFrom: timeText.optional(),
  })
  .refine(({ catalogue, images }) => catalogue?.image === undefined || images !== undefined, {
    path: ['images'],
    message: 'is needed by `catalogue.image`',
  })
  .refine(({ validationFrom, testFrom }) => (validationFrom === undefined) === (testFrom === undefined), {
    path: ['validationFrom'],
    message: '`validationFrom` and `testFrom` must be given together',
  });

export type TableOptions = z.output<typeof tableOptions>;
