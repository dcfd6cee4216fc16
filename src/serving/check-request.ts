/** Requests as they come, checked: what is left out or misspelt would otherwise go as unknown. */
import { z } from 'zod';
import { longHistoryLength } from '../data/long-history.ts';
import { CourierError } from '../errors.ts';
import { textOf } from '../rankers/encode-exposures.ts';
import type { Deployment } from './deployment.ts';
import { candidatesLimit, idCharacters } from './limits.ts';
import type { PageView } from './live-state.ts';
import type { NewItem, ScoreRequest } from './requests.ts';

/** How far ahead of this machine's clock a time may be: counters that were told of the day after tomorrow know nothing of today. */
const aheadLimit = 300_000;

/** As ingestion takes it. */
const id = z.string().trim().min(1).max(idCharacters);
const texts = z.record(z.string().max(1000), z.string().max(10_000).nullable());
const values = z.custom<ArrayLike<number>>(
  (value) =>
    ArrayBuffer.isView(value) ||
    (Array.isArray(value) && value.every((each: unknown) => typeof each === 'number')),
  { error: 'must be numbers' },
);

/** Looked at one by one later: a page view has a hundred, and a schema takes notes of each. */
const ids = z.custom<readonly unknown[]>(Array.isArray, { error: 'must be a list of ids' });

const requestSchema = z.strictObject({
  user: id.nullish(),
  history: ids.optional(),
  candidates: ids,
  time: z.number().optional(),
  context: texts.optional(),
  numeric: z.record(z.string().max(1000), values).optional(),
  attention: z.boolean().optional(),
  images: z.boolean().optional(),
  within: z.number().nonnegative().optional(),
});

export interface CheckedRequest {
  readonly view: PageView;
  readonly numeric: ReadonlyMap<string, ArrayLike<number>>;
}

/**
 * A page view of the deployment's numbers.
 * @param now by the clock of the service, milliseconds
 * @throws CourierError VALUE_INVALID naming the first value that is missing, unknown by name, or not finite
 */
export function checkRequest(
  request: ScoreRequest,
  { state, manifest, ranker: { about } }: Deployment,
  now: number,
): CheckedRequest {
  const parsed = requestSchema.safeParse(request);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { user = null, context = {}, numeric = {}, images = true } = parsed.data;
  const candidates = idsOf('candidates', parsed.data.candidates, { least: 1, most: candidatesLimit });
  const history =
    parsed.data.history && idsOf('history', parsed.data.history, { least: 0, most: longHistoryLength });
  const time = requireTime(parsed.data.time ?? now, now);
  requireNames('context', Object.keys(context), about.layout.context);
  requireNames(
    'numeric',
    Object.keys(numeric),
    manifest.numeric.map(({ name }) => name),
  );
  for (const [name, column] of Object.entries(numeric)) {
    if (column.length !== candidates.length)
      throw invalid(`numeric.${name} has ${column.length} values for ${candidates.length} candidates`);
    for (let index = 0; index < column.length; index++)
      if (!Number.isNaN(column[index]) && !Number.isFinite(Math.fround(column[index]!)))
        throw invalid(`numeric.${name}.${index} is no 32-bit float`);
  }
  return {
    view: {
      user,
      time,
      context: about.layout.context.map((name) => textOf(context, name)),
      history: history === undefined ? state.historyOf(user, time) : [...new Set(history)],
      candidates,
      images,
    },
    numeric: new Map(Object.entries(numeric)),
  };
}

/** Ids without blanks around them, as ingestion takes them. @throws CourierError VALUE_INVALID naming the first that is none */
function idsOf(
  what: string,
  values: readonly unknown[],
  { least, most }: { readonly least: number; readonly most: number },
): readonly string[] {
  if (values.length < least || values.length > most)
    throw invalid(`${what}: there are ${values.length}, and there may be ${least} to ${most}`);
  return values.map((value, place) => {
    const text = typeof value === 'string' ? value.trim() : '';
    if (text === '' || text.length > idCharacters)
      throw invalid(
        `${what}.${place} must be a text of 1 to ${idCharacters} characters that are not all blank`,
      );
    return text;
  });
}

/** @returns the time @throws CourierError VALUE_INVALID for one that is none, or that has not come */
export function requireTime(time: number, now: number): number {
  if (!Number.isFinite(time)) throw invalid('time is no number of milliseconds');
  if (time > now + aheadLimit) throw invalid(`time ${new Date(time).toISOString()} has not come yet`);
  return time;
}

/** @throws CourierError VALUE_INVALID for columns that the export does not have, or values that are not finite */
export function checkItem(
  { id: own, categories = {}, numeric = {}, photo, embedding }: NewItem,
  { manifest, encoder }: Deployment,
): void {
  if (id.safeParse(own).data !== own)
    throw invalid('an id has 1 to 1000 characters, and no blanks around them');
  if (!texts.safeParse(categories).success)
    throw invalid('categories must be texts of at most 10,000 characters');
  requireNames(
    'categories',
    Object.keys(categories),
    manifest.categories.map(({ name }) => name),
  );
  requireNames(
    'numeric',
    Object.keys(numeric),
    manifest.numeric.map(({ name }) => name),
  );
  for (const [name, value] of Object.entries(numeric))
    if (value !== null && !Number.isFinite(Math.fround(value)))
      throw invalid(`numeric.${name} is no 32-bit float`);
  if (photo !== undefined && embedding !== undefined) throw invalid('it has a photo and an embedding');
  if (embedding !== undefined) {
    const { dimension, encoder: made } = manifest.embeddings ?? { dimension: 0, encoder: null };
    if (dimension === 0) throw invalid('the export has no embeddings');
    if (made !== null) throw invalid('the export makes its embeddings itself: send the photo');
    if (embedding.length !== dimension || !embedding.every(Number.isFinite))
      throw invalid(`an embedding has ${dimension} finite numbers`);
  }
  if (photo !== undefined && manifest.embeddings !== null && encoder === null)
    throw invalid('the export has no encoder: send the embedding of the photo');
}

function requireNames(what: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw invalid(
    `${what}.${unknown} is not known; ${known.length === 0 ? 'there is none' : known.join(', ')}`,
  );
}

export function unknownItem(item: string): CourierError {
  return new CourierError(
    'ITEM_UNKNOWN',
    `Item ${item} is not in the catalogue, or has no photo.`,
    'Put it with its photo, or ask for another one.',
  );
}

export function invalid(problem: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `The request cannot be answered: ${problem}.`,
    'Send what the export knows, in its words: see its serving.json and ranker.json.',
  );
}
