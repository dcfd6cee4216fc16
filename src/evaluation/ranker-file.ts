/** One cell of a comparison: a ranker of one row of the table and one seed. */
import { z } from 'zod';
import { CourierError } from '../errors.ts';
import { measuredSchema } from '../metrics/measured.ts';
import type { RankerState } from '../rankers/model.ts';
import { loadTable, saveTable } from '../rankers/table-file.ts';
import type { RankerResult } from '../rankers/train.ts';
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
  curve: z.array(
    z.object({ step: z.number(), loss: z.number().nullable(), validationAuc: z.number().nullable() }),
  ),
  steps: z.number(),
  seconds: z.number(),
  gates: z.array(z.object({ category: z.string(), opening: z.number(), exposures: z.number() })),
});

const stateSchema = z.object({
  step: z.int(),
  layout: z.object({
    places: z.array(z.object({ name: z.string(), shape: z.array(z.int()), offset: z.int(), size: z.int() })),
    size: z.int(),
  }),
});

/** Before the names of vectors of a ranker's state. */
const vectorPrefix = 'state/';

/** A ranker without images that others go on from. */
export interface Base {
  readonly result: RankerResult;
  readonly state: RankerState;
}

/** Finished cells are kept: a comparison that was stopped computes only what is missing. */
export async function writeCell(path: string, result: RankerResult): Promise<void> {
  await writeSafeTensors(path, encode(result));
}

/** @returns null for a cell that was not finished */
export async function readCell(path: string): Promise<RankerResult | null> {
  if (!(await exists(path))) return null;
  const scores = await readSafeTensors(path, 'Scores', (name) =>
    name.startsWith(vectorPrefix) ? 'none' : 'new',
  );
  return decode(scores, path);
}

/** Writes the ranker beside its table, which is there first: where the one is, so is the other. */
export async function writeBase(path: string, { result, state }: Base): Promise<void> {
  const { table, vectors, ...rest } = state;
  await saveTable(tableOf(path), table);
  const { metadata, tensors } = encode(result);
  const named = Object.entries(vectors).map(([name, data]): [string, SafeTensor] => {
    return [vectorPrefix + name, { shape: [data.length], data }];
  });
  await writeSafeTensors(path, {
    metadata: { ...metadata, state: JSON.stringify(rest) },
    tensors: new Map([...tensors, ...named]),
  });
}

/** @returns null where it was not finished */
export async function readBase(path: string): Promise<Base | null> {
  if (!(await exists(path))) return null;
  const file = await readSafeTensors(path, 'Ranker without images');
  const state = stateSchema.safeParse(parseJson(file.metadata['state'] ?? ''));
  if (!state.success) throw damaged(path);
  const vectors = [...file.tensors].flatMap(([name, { data }]): [string, Float32Array][] =>
    name.startsWith(vectorPrefix) && data instanceof Float32Array
      ? [[name.slice(vectorPrefix.length), data]]
      : [],
  );
  return {
    result: decode(file, path),
    state: { ...state.data, vectors: Object.fromEntries(vectors), table: await loadTable(tableOf(path)) },
  };
}

/** `base-seed-1.safetensors` → `base-seed-1.table.safetensors` */
function tableOf(path: string): string {
  return path.replace(/\.safetensors$/, '.table.safetensors');
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
