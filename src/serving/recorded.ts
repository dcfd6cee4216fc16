/** Page views with the scores that their exposures have to get, by which an export is checked when it is opened. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { longHistoryLength } from '../data/long-history.ts';
import { readInput, requireReadable, writeFileWhole } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';
import { recordedLimit, servingFiles } from './format.ts';

const text = z.string().max(10_000);
const finite = z.number();

const recordedView = z.strictObject({
  user: text,
  context: z.array(text.nullable()).max(1000),
  /** Ids, newest first. */
  history: z.array(text).max(longHistoryLength),
  candidates: z.array(text).min(1).max(10_000),
  /** Base features of each candidate. (n, F) */
  base: z.array(z.array(finite).max(10_000)),
  /** What the ranker gives each. (n) */
  scores: z.array(z.number().min(0).max(1)),
});

const recordedSchema = z.strictObject({
  views: z.array(recordedView).min(1).max(10_000),
  /** What the counters say at the moment up to which they know everything. */
  counted: z
    .array(z.strictObject({ user: text, item: text, values: z.array(finite).max(100_000) }))
    .max(10_000),
});

export type Recorded = z.output<typeof recordedSchema>;
export type RecordedView = Recorded['views'][number];

/** How far a score may be from what was recorded: another order of additions, no more. */
export const scoreTolerance = 1e-5;

export async function writeRecorded(folder: string, recorded: Recorded): Promise<void> {
  const path = join(folder, servingFiles.recorded);
  await writeFileWhole(path, JSON.stringify(recordedSchema.parse(recorded)));
}

/** @throws CourierError FILE_NOT_FOUND; Error that says what is wrong with the content */
export async function readRecorded(folder: string): Promise<Recorded> {
  const path = join(folder, servingFiles.recorded);
  await requireReadable(path, 'Recorded scores');
  const { size } = await stat(path);
  if (size > recordedLimit) throw new Error(`${servingFiles.recorded} has ${size} bytes`);
  const parsed = recordedSchema.safeParse(
    parseJson((await readInput(path, 'Recorded scores')).toString('utf8')),
  );
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`${servingFiles.recorded}: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const uneven = parsed.data.views.some(
    ({ candidates, base, scores }) =>
      base.length !== candidates.length || scores.length !== candidates.length,
  );
  if (uneven) throw new Error(`${servingFiles.recorded} has rows of different lengths`);
  return parsed.data;
}
