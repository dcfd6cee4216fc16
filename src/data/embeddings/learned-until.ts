/** Up to when an encoder has seen clicks, as it stands in the metadata of encoders and embeddings. */

const key = 'courier.learned_until';

/** @param learnedUntil milliseconds since 1970-01-01 UTC, the first moment of which nothing is known; null where that is not known */
export function learnedUntilMetadata(learnedUntil: number | null): Readonly<Record<string, string>> {
  return learnedUntil === null ? {} : { [key]: new Date(learnedUntil).toISOString() };
}

/** The later of both; null where neither is known. */
export function laterOf(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.max(one, other);
}

/** @returns milliseconds since 1970-01-01 UTC; null for a file that does not say */
export function learnedUntilIn(metadata: ReadonlyMap<string, string>): number | null {
  const time = Date.parse(metadata.get(key) ?? '');
  return Number.isNaN(time) ? null : time;
}
