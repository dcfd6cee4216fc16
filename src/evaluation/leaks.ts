/** Embeddings whose encoder has seen clicks of the test period, of which any table would be too good. */
import { basename } from 'node:path';
import { z } from 'zod';
import type { Dataset } from '../data/dataset.ts';
import { readProvenance } from '../data/embeddings/provenance.ts';
import { CourierError } from '../errors.ts';
import type { EmbeddingFigures } from '../report/report.ts';

export const allowLeak = z
  .boolean()
  .default(false)
  .describe(
    'Whether embeddings are taken whose encoder learned from clicks of the test period, and what to begin with that did; the report then opens with a warning.',
  );

/** Whether the encoder of embeddings has seen clicks of the test period; false where the file does not say. */
export async function leaks({ splitTimes }: Pick<Dataset, 'splitTimes'>, name: string): Promise<boolean> {
  const { learnedUntil } = await readProvenance(name);
  return learnedUntil !== null && learnedUntil > splitTimes.testFrom;
}

/**
 * Of which part of the training period the encoder of embeddings has seen clicks.
 * @param cut where the newer part begins, milliseconds; null where the period is not cut
 * @param areOwn whether the embeddings were made here
 */
export async function seenClicks(
  name: string,
  cut: number | null,
  areOwn: boolean,
): Promise<EmbeddingFigures['seen']> {
  const { origin, learnedUntil } = await readProvenance(name);
  if (learnedUntil === null) return origin === null && !areOwn ? 'unknown' : 'none';
  return cut !== null && learnedUntil > cut ? 'newer' : 'older';
}

/** @throws CourierError LEAK; FILE_NOT_FOUND, FILE_CORRUPT */
export async function requireNoLeak(dataset: Pick<Dataset, 'splitTimes'>, name: string): Promise<void> {
  requireLearnedBefore(dataset, name, (await readProvenance(name)).learnedUntil);
}

/**
 * @param learnedUntil of the encoder of what the file holds; null where that is not known
 * @throws CourierError LEAK
 */
export function requireLearnedBefore(
  { splitTimes: { testFrom } }: Pick<Dataset, 'splitTimes'>,
  file: string,
  learnedUntil: number | null,
): void {
  if (learnedUntil === null || learnedUntil <= testFrom) return;
  const [until, from] = [learnedUntil, testFrom].map((time) => new Date(time).toISOString());
  throw new CourierError(
    'LEAK',
    `${basename(file)} is of an encoder that knows clicks until ${until}, and the test period of the dataset begins at ${from}.`,
    'Pre-train on this dataset, or ingest with a later `testFrom`. To measure all the same, set `allowLeak` to true: the report says so.',
  );
}
