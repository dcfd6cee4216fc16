/** What a service is told, and how its log keeps it. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { CourierError } from '../errors.ts';
import { parseJson } from '../storage/json.ts';
import { eventsLimit, idCharacters } from './limits.ts';
import { idLimit } from './state-store.ts';

/** As ingestion takes it: without blanks around it. */
const text = z.string().trim().min(1).max(idCharacters);
const time = z.number().refine(Number.isSafeInteger, { error: 'must be whole milliseconds' });

/** A click or an exposure. */
export const eventSchema = z.strictObject({
  /** By which it is known: an event that is sent again under its id counts once. */
  id: z.string().min(1).max(idLimit),
  kind: z.enum(['exposure', 'click']),
  user: text,
  item: text,
  /** When it happened, milliseconds since 1970-01-01 UTC: of a click, when it was clicked. */
  time,
});

export type ShopEvent = z.output<typeof eventSchema>;

const texts = z.record(text, z.string().max(10_000).nullable());
const numbers = z.record(text, z.number().nullable());

/** An embedding in base64, as little-endian float32. */
const vector = z.base64().max(2 ** 18);

const item = z.strictObject({
  kind: z.literal('item'),
  id: text,
  categories: texts,
  numeric: numbers,
  /** SHA-256 of the photo's file, under which it is kept, and of its pixels; null without one. */
  photo: z.strictObject({ file: z.string().max(64), picture: z.string().max(64) }).nullable(),
  /** Of the photo, and the encoder that made it: null where the caller gave it. null without an embedding. */
  embedding: z.strictObject({ encoder: z.string().max(64).nullable(), vector }).nullable(),
});

const removal = z.strictObject({ kind: z.literal('removal'), id: text });

const contentSchema = z.union([eventSchema.omit({ id: true }), item, removal]);

/** When it was acknowledged, and what. */
const keptSchema = z.strictObject({ at: time, is: contentSchema });

export type KeptItem = z.output<typeof item>;
export type Content = z.output<typeof contentSchema>;
export type Kept = z.output<typeof keptSchema>;

/** Under which a change of an item is kept: each is one of its own. */
export function entryId(): string {
  return `item:${randomUUID()}`;
}

export function encodeContent(kept: Kept): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(kept));
}

/** @returns null for what no service of this version wrote */
export function decodeContent(bytes: Uint8Array): Kept | null {
  return keptSchema.safeParse(parseJson(new TextDecoder().decode(bytes))).data ?? null;
}

/** @throws CourierError VALUE_INVALID naming the first value that cannot be; LIMIT_EXCEEDED for too many */
export function checkEvents(events: readonly ShopEvent[]): readonly ShopEvent[] {
  if (events.length > eventsLimit)
    throw new CourierError(
      'LIMIT_EXCEEDED',
      `${events.length} events came in one call, and ${eventsLimit} may.`,
      'Send them in several calls.',
    );
  const parsed = z.array(eventSchema).safeParse(events);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CourierError(
    'VALUE_INVALID',
    `The events cannot be recorded: ${issue?.path.join('.')}: ${issue?.message}.`,
    'Send id, kind (exposure or click), user, item and time (milliseconds since 1970) of each.',
  );
}

export function encodeVector(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

export function decodeVector(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64');
  const values = new Float32Array(Math.floor(bytes.length / 4));
  for (let place = 0; place < values.length; place++) values[place] = bytes.readFloatLE(4 * place);
  return values;
}
