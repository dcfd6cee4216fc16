/** Files of a ranker: its scores, and beside them its state, its weights, or the checkpoint of its training. */

import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { CourierError } from '../errors.ts';
import { measuredSchema } from '../metrics/measured.ts';
import type { RankerState, RankerWeights } from '../rankers/model.ts';
import { decodeState, encodeState } from '../rankers/state-file.ts';
import type { RankerResult } from '../rankers/train.ts';
import { curveSchema } from '../rankers/training-memory.ts';
import { exists } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';
import {
  readSafeTensors,
  type SafeTensor,
  type SafeTensors,
  writeSafeTensors,
} from '../storage/safetensors.ts';

const summarySchema = z.object({
  validationAuc: measuredSchema(z.number()),
  curve: curveSchema,
  steps: z.number(),
  seconds: z.number(),
  communicationSeconds: z.number().optional(),
  gates: z.array(z.object({ category: z.string(), opening: z.number(), exposures: z.number() })),
});

/** A ranker without images that others go on from. */
export interface Base {
  readonly result: RankerResult;
  readonly state: RankerState;
}

/** Finished rankers are kept: a comparison that was stopped computes only what is missing. */
export async function writeResult(path: string, result: RankerResult): Promise<void> {
  await writeSafeTensors(path, encode(result));
}

/** @returns null for a ranker that was not finished */
export async function readResult(path: string): Promise<RankerResult | null> {
  if (!(await exists(path))) return null;
  return decode(await readSafeTensors(path, 'Scores'), path);
}

/** Writes the result after the state: where the one is, so is the other. */
export async function writeBase(path: string, { result, state }: Base): Promise<void> {
  await writeSafeTensors(beside(path, 'state'), encodeState('state', state));
  await writeResult(path, result);
}

/** @returns null where it was not finished */
export async function readBase(path: string): Promise<Base | null> {
  const own = beside(path, 'state');
  const result = await readResult(path);
  if (result === null || !(await exists(own))) return null;
  return { result, state: decodeState('state', await readSafeTensors(own, 'Ranker without images'), own) };
}

/** Keeps what a ranker scores with beside its scores. */
export async function writeWeights(path: string, { parameters, ...rest }: RankerWeights): Promise<void> {
  const state = { ...rest, vectors: { parameters }, step: 0 };
  await writeSafeTensors(beside(path, 'weights'), encodeState('weights', state));
}

export function hasWeights(path: string): Promise<boolean> {
  return exists(beside(path, 'weights'));
}

/** @throws CourierError FILE_NOT_FOUND where `writeWeights` has written none, FILE_CORRUPT */
export async function readWeights(path: string): Promise<RankerWeights> {
  const own = beside(path, 'weights');
  const { layout, vectors, table } = decodeState('weights', await readSafeTensors(own, 'Weights'), own);
  return { layout, parameters: vectors.parameters, table };
}

/** What a ranker in training needs to go on. */
export function checkpointOf(path: string): string {
  return beside(path, 'checkpoint');
}

export async function removeCheckpoint(path: string): Promise<void> {
  await rm(checkpointOf(path), { force: true });
}

/** `base-seed-1.safetensors` → `base-seed-1.state.safetensors` */
function beside(path: string, what: 'state' | 'weights' | 'checkpoint'): string {
  return path.replace(/\.safetensors$/, `.${what}.safetensors`);
}

function encode({ testRows, testScores, ...summary }: RankerResult): SafeTensors {
  return {
    metadata: { summary: JSON.stringify(summary) },
    tensors: new Map<string, SafeTensor>([
      ['testRows', { shape: [testRows.length], data: testRows }],
      ['testScores', { shape: [testScores.length], data: testScores }],
    ]),
  };
}

function decode({ metadata, tensors }: SafeTensors, path: string): RankerResult {
  const summary = summarySchema.safeParse(parseJson(metadata['summary'] ?? ''));
  const testRows = tensors.get('testRows')?.data;
  const testScores = tensors.get('testScores')?.data;
  if (summary.success && testRows instanceof Int32Array && testScores instanceof Float32Array) {
    return { testRows, testScores, ...summary.data };
  }
  throw damaged(path);
}

function damaged(path: string): CourierError {
  return new CourierError(
    'FILE_CORRUPT',
    `${path} does not hold the scores of a ranker.`,
    'Delete it and run the command again.',
  );
}
