/** Up to when an encoder has seen clicks, which its file says: a table of that period or an earlier one would be too good. */
import { decodeModel } from '../graph/onnx-schema.ts';
import type { EncoderFile } from './file.ts';

const key = 'courier.learned_until';

/** @param learnedUntil milliseconds since 1970-01-01 UTC, the first moment of which nothing is known; null for no clicks at all */
export function learnedUntilMetadata(learnedUntil: number | null): Readonly<Record<string, string>> {
  return learnedUntil === null ? {} : { [key]: new Date(learnedUntil).toISOString() };
}

/** @returns milliseconds since 1970-01-01 UTC; null for an encoder that does not say */
export function learnedUntilOf({ bytes }: EncoderFile): number | null {
  const text = decodeModel(bytes).metadataProps.find((entry) => entry.key === key)?.value;
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? null : time;
}
