/** What a server is asked and what it answers: checks, OpenAPI and the client's types come from these alone. */
import { z } from 'zod';
import { longHistoryLength } from '../data/long-history.ts';
import { candidatesLimit, eventsLimit, idCharacters, similarItems } from '../serving/limits.ts';
import { idLimit } from '../serving/state-store.ts';

const id = z.string().min(1).max(idCharacters);
const name = z.string().min(1).max(idCharacters);
const texts = z.record(name, z.string().max(10_000).nullable());
const time = z.number().describe('Milliseconds since 1970-01-01 UTC.');
const embedding = z.array(z.number()).min(1).max(65_536);

/** Characters of a photo in base64: 20 MiB of it. */
export const photoCharacters = 4 * Math.ceil((20 * 1024 * 1024) / 3);

const photo = z.string().min(1).max(photoCharacters).meta({
  description: 'A JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF of at most 20 MiB, in base64.',
  contentEncoding: 'base64',
});
const url = z
  .string()
  .min(1)
  .max(2000)
  .describe('Address of a photo that begins with https:// and is of the public internet.');

export const itemParams = z.strictObject({ item: id.describe('Id of the item.') });

export const scoreRequest = z.strictObject({
  user: id
    .nullable()
    .optional()
    .describe(
      'Id of the user. Without one, or with one that is not known, what is known of all users is used.',
    ),
  history: z
    .array(id)
    .max(longHistoryLength)
    .optional()
    .describe('Items clicked before, newest first; left out, those that the server knows of the user.'),
  candidates: z.array(id).min(1).max(candidatesLimit).describe('Items to score. (n)'),
  time: time
    .optional()
    .describe('When they are shown, milliseconds since 1970-01-01 UTC; left out, it is now.'),
  context: texts.optional().describe("Texts of the ranker's context columns by their names."),
  numeric: z
    .record(name, z.array(z.number().nullable()).max(candidatesLimit))
    .optional()
    .describe(
      'Numbers that come with the log, such as prices, a column each; null where the catalogue has to know. (n) each',
    ),
  attention: z
    .boolean()
    .optional()
    .describe('Whether to tell from which earlier clicks each candidate is rebuilt.'),
});

export const scoreAnswer = z.strictObject({
  scores: z.array(z.number()).describe('Probability of a click as the ranker has it. (n)'),
  calibrated: z
    .array(z.number())
    .describe('The same as the validation period has shown it to come true. (n)'),
  known: z.array(z.boolean()).describe('Whether the candidate is in the catalogue. (n)'),
  time: time.describe('The moment that was described, milliseconds.'),
  experiment: z.string().optional().describe('The experiment that the user is in, where there is one.'),
  arm: z.string().optional().describe('The arm of the experiment that answered.'),
  attention: z
    .strictObject({
      history: z.array(z.string()).describe('Earlier clicks that the ranker looks at, newest first. (h)'),
      weights: z
        .array(z.array(z.number()))
        .describe('Of each candidate on each of them; all 0 where there is nothing to compare. (n, h)'),
    })
    .optional()
    .describe('Where it was asked for.'),
});

export const photoSource = z.union([
  z.strictObject({ photo }).describe('The photo itself.'),
  z.strictObject({ url }).describe('The photo behind an address.'),
]);

export const embedRequest = z.union([
  ...photoSource.options,
  z.strictObject({ item: id }).describe('An item of the catalogue.'),
]);

export const embedAnswer = z.strictObject({
  embedding: z.array(z.number()).describe('Of length 1. (d)'),
});

const most = z
  .int()
  .min(1)
  .max(similarItems.most)
  .optional()
  .describe(`Items to find at most; ${similarItems.usual} where it is left out.`);

export const similarQuery = z.strictObject({ most });

export const similarRequest = z.union([
  ...photoSource.options.map((option) => option.extend({ most })),
  z.strictObject({ embedding, most }).describe('An embedding of the same encoder.'),
]);

export const similarAnswer = z.strictObject({
  items: z.array(z.string()).describe('Most alike first. (k)'),
  cosines: z.array(z.number()).describe('(k)'),
});

/** The last moment that there is. */
const latest = 8_640_000_000_000_000;

const event = {
  id: z.string().min(1).max(idLimit),
  user: id,
  time: z.int().min(0).max(latest).describe('When it happened, milliseconds since 1970-01-01 UTC.'),
};

export const shopEvent = z.union([
  z
    .strictObject({
      ...event,
      kind: z.literal('exposure'),
      item: id,
      arm: z.string().max(200).optional().describe('As `score` told it; left out, that of the user.'),
    })
    .describe('An item was shown.'),
  z.strictObject({ ...event, kind: z.literal('click'), item: id }).describe('An item was clicked.'),
  z
    .strictObject({
      ...event,
      kind: z.literal('order'),
      revenue: z.number().describe('What the order came to; less than 0 is a return.'),
    })
    .describe('Something was bought: kept for reports on experiments.'),
]);

export const eventsRequest = z.strictObject({
  events: z.array(shopEvent).min(1).max(eventsLimit).describe('Each counts once by its id.'),
});

export const eventsAnswer = z.strictObject({
  recorded: z.int().describe('Exposures and clicks that are new.'),
  known: z.int().describe('Those that were recorded before under their ids.'),
  covered: z
    .int()
    .describe('Those among the new ones that happened before the end of the export, which knows them.'),
  orders: z.int().describe('Orders that were kept.'),
});

export const putItemRequest = z.strictObject({
  categories: texts.optional().describe('Texts of category columns by their names.'),
  numeric: z
    .record(name, z.number().nullable())
    .optional()
    .describe('Numbers that come with the log, such as the price.'),
  photo: photo.optional(),
  url: url.optional(),
  embedding: embedding.optional().describe("Where the encoder is somebody else's. (d)"),
});

export const exportsRequest = z.strictObject({
  export: z.string().min(1).max(1000).describe('Name of a folder below the configured root of exports.'),
  arm: z
    .string()
    .max(200)
    .optional()
    .describe('The arm of the experiment whose export it replaces; left out, the export of all others.'),
});

export const exportsAnswer = z.strictObject({
  export: z.string(),
  ranker: z.string(),
  features: z.string().nullable(),
  items: z.int(),
  until: time.describe('Up to where the export knows everything, milliseconds since 1970-01-01 UTC.'),
});

export const healthAnswer = z.strictObject({ status: z.literal('ok') });

export const problemCodes = [
  'VALUE_INVALID',
  'KEY_MISSING',
  'SCOPE_MISSING',
  'HOST_REFUSED',
  'NOT_FOUND',
  'ITEM_UNKNOWN',
  'LIMIT_EXCEEDED',
  'CONTENT_TYPE_UNKNOWN',
  'PHOTO_UNREACHABLE',
  'EXPORT_REFUSED',
  'RATE_LIMITED',
  'OVERLOADED',
  'STOPPING',
  'STATE_UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'INTERNAL',
] as const;

/** The one shape of everything that is not answered. */
export const problemAnswer = z.strictObject({
  error: z.strictObject({
    code: z.enum(problemCodes),
    message: z.string().describe('What was wrong.'),
    remedy: z.string().describe('What to do about it.'),
    id: z.string().describe("The request's, by which the server's log knows more."),
  }),
});
export type Problem = z.output<typeof problemAnswer>['error'];
export type ProblemCode = Problem['code'];
