/** One cell of a comparison: a ranker of one row of the table and one seed. */
import { z } from 'zod';
import { CourierError } from '../errors.ts';
import { exists } from '../files.ts';
import { parseJson } from '../json.ts';
import type { RankerResult } from '../rankers/train.ts';
import { readSafeTensors, writeSafeTensors } from '../runtime/safetensors.ts';

const summarySchema = z.object({
  validationAuc: z.number(),
  curve: z.array(z.object({ step: z.number(), loss: z.number().nullable(), validationAuc: z.number() })),
  steps: z.number(),
  seconds: z.number(),
  gates: z.array(z.object({ category: z.string(), opening: z.number(), exposures: z.number() })),
});

/** Finished cells are kept: a comparison that was stopped computes only what is missing. */
export async function writeCell(path: string, result: RankerResult): Promise<void> {
  const { testRows, testScores, ...summary } = result;
  await writeSafeTensors(path, {
    metadata: { summary: JSON.stringify(summary) },
    tensors: new Map([
      ['testRows', { shape: [testRows.length], data: testRows }],
      ['testScores', { shape: [testScores.length], data: testScores }],
    ]),
  });
}

/** @returns null for a cell that was not finished */
export async function readCell(path: string): Promise<RankerResult | null> {
  if (!(await exists(path))) return null;
  const { metadata, tensors } = await readSafeTensors(path, 'Scores');
  const summary = summarySchema.safeParse(parseJson(metadata['summary'] ?? ''));
  const testRows = tensors.get('testRows')?.data;
  const testScores = tensors.get('testScores')?.data;
  if (summary.success && testRows instanceof Int32Array && testScores instanceof Float32Array) {
    return { testRows, testScores, ...summary.data };
  }
  throw new CourierError(
    'FILE_CORRUPT',
    `${path} does not hold the scores of a ranker.`,
    'Delete it and run the command again.',
  );
}
