/** What the folder of an exported ranker holds: `ranker.json`, and the files that it names with their hashes. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CourierError, messageOf } from '../errors.ts';
import { exists, hashFile, readInput, requireReadable, writeJson } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';

export const exportFiles = {
  /** embedded (B, L, E), historyMask (B, H), dense, visual, nearness (B, H), category → scores (B, 1); B is open. */
  model: 'ranker.onnx',
  /** Which row of the table an id has. */
  ids: 'ids.parquet',
  /** The embeddings of ids. (rows, E) */
  table: 'table.safetensors',
  /** Codes of the catalogue's photos, by item id. */
  codes: 'codes.parquet',
  /** The centres behind the codes, with which a new photo gets its own. */
  centres: 'centres.safetensors',
} as const;

const descriptionFile = 'ranker.json';
/** 2: `visual.nearness`, and the input of that name. */
const formatVersion = 2;

/** Bytes of ranker.json. */
const descriptionLimit = 2 ** 26;

const text = z.string().min(1).max(10_000);
const count = z.int().nonnegative();
const names = z
  .array(text)
  .max(1000)
  .refine((all) => new Set(all).size === all.length, { error: 'a name occurs twice' });
const file = z.strictObject({
  bytes: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
/** Mean and 1 / deviation of the training exposures; a constant column has the scale 0. */
const standards = { mean: z.number(), scale: z.number().nonnegative() };

const descriptionSchema = z.strictObject({
  format: z.literal('courier-ranker'),
  version: z.literal(formatVersion),
  ranker: text,
  /** Length E of an embedded id. */
  dimension: z.int().min(1).max(1024),
  /** Rows of the embedding table, which an int32 tells apart; row 0 is zero and stands for nothing. */
  tableRows: z
    .int()
    .min(1)
    .max(2 ** 31 - 1),
  /**
   * What is looked up for an exposure, in this order: user, context; item and categories of the candidate, then of
   * each history place; codes of the candidate, then of each history place.
   */
  layout: z.strictObject({
    historyLength: z.int().min(1).max(10_000),
    context: names,
    categories: names,
    codes: names,
  }),
  /** Base features. */
  dense: z.array(z.strictObject({ name: text, ...standards })).max(10_000),
  /** Dense values of the visual feature, in groups; a group of zeros has nothing to see and stays zero. */
  visual: z.strictObject({
    /** Such as `sim-score+cluster-id`; null for a ranker without images. */
    features: text.nullable(),
    zeroIsAbsent: z.literal(true),
    groups: z.array(z.array(z.strictObject(standards)).min(1).max(100_000)).max(1000),
    /** Whether it takes how near the candidate is to each history place: 1 + cosine, 0 where there is nothing to compare. */
    nearness: z.boolean(),
    /**
     * The embeddings that it was trained with: what their file is known by, and SHA-256 of the model that made them, null where
     * that is not known. null without images, and where an earlier version exported it.
     */
    embeddings: z.strictObject({ hash: z.string(), model: z.string().nullable() }).nullable().default(null),
  }),
  /** Gates of the visual side; null for a ranker without images. */
  gate: z
    .strictObject({
      /** Category column of the candidate; null where all items share one gate. */
      category: text.nullable(),
      /** By code. Code 0 stands for every text that is not among the others. */
      values: z
        .array(z.string())
        .min(1)
        .refine((all) => new Set(all.slice(1)).size === all.length - 1, { error: 'a value occurs twice' }),
    })
    .nullable(),
  /** The settings that it was trained with. */
  settings: z.unknown(),
  dataset: z.strictObject({ name: z.string(), hash: z.string() }),
  /** Up to when it has seen clicks, itself or the encoder of its embeddings; null where that is not known. */
  learnedUntil: z.iso.datetime().nullable().default(null),
  seed: count,
  versions: z.record(z.string(), z.string()),
  files: z.strictObject({
    model: file,
    ids: file,
    table: file,
    codes: file.optional(),
    centres: file.optional(),
  }),
});

export type RankerDescription = z.output<typeof descriptionSchema>;
export type Layout = RankerDescription['layout'];

/** The names of the fields in `ids.parquet`, in the order of the lookups. */
export function fieldNames({ context, categories, codes }: Layout) {
  return {
    situation: ['user', ...context.map((name) => `context:${name}`)],
    item: ['item', ...categories.map((name) => `category:${name}`)],
    visual: codes.map((name) => `code:${name}`),
  };
}

/**
 * Writes `ranker.json` beside the files that are already in the folder.
 * @throws CourierError OUTPUT_NOT_WRITABLE
 */
export async function writeDescription(
  folder: string,
  about: Omit<RankerDescription, 'format' | 'version' | 'files'>,
): Promise<void> {
  const { model, ids, table, codes, centres } = exportFiles;
  const files = {
    model: await describeFile(join(folder, model)),
    ids: await describeFile(join(folder, ids)),
    table: await describeFile(join(folder, table)),
    ...(about.layout.codes.length === 0 ? {} : { codes: await describeFile(join(folder, codes)) }),
    ...((await exists(join(folder, centres))) ? { centres: await describeFile(join(folder, centres)) } : {}),
  };
  const description = { format: 'courier-ranker', version: formatVersion, ...about, files };
  await writeJson(join(folder, descriptionFile), descriptionSchema.parse(description));
}

async function describeFile(path: string): Promise<z.output<typeof file>> {
  return { bytes: (await stat(path)).size, sha256: await hashFile(path) };
}

/**
 * Reads `ranker.json` and checks that every file is there and is the one that it means.
 * @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE; FILE_CORRUPT for a folder of another format, or one that was
 * altered
 */
export async function readDescription(folder: string): Promise<RankerDescription> {
  const path = join(folder, descriptionFile);
  const below = join(folder, 'export');
  if (!(await exists(path)) && (await exists(join(below, descriptionFile))))
    throw new CourierError(
      'FILE_NOT_FOUND',
      `${folder} is the folder of a run, not of an exported ranker.`,
      `The ranker that it exported is ${below}.`,
    );
  await requireReadable(path, 'Exported ranker');
  const { size: bytes } = await stat(path);
  if (bytes > descriptionLimit) throw unusableRanker(folder, `${descriptionFile} has ${bytes} bytes`);
  const json = parseJson((await readInput(path, 'Exported ranker')).toString('utf8'));
  const parsed = descriptionSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const problem = `${issue?.path.join('.')}: ${issue?.message}`;
    throw unusableRanker(folder, `${descriptionFile} is not of format version ${formatVersion}: ${problem}`);
  }
  const { files, layout } = parsed.data;
  if ((files.codes === undefined) !== (layout.codes.length === 0))
    throw unusableRanker(folder, 'its codes and their file do not agree');
  await checkFile(folder, exportFiles.model, files.model);
  await checkFile(folder, exportFiles.ids, files.ids);
  await checkFile(folder, exportFiles.table, files.table);
  if (files.codes !== undefined) await checkFile(folder, exportFiles.codes, files.codes);
  if (files.centres !== undefined) await checkFile(folder, exportFiles.centres, files.centres);
  return parsed.data;
}

async function checkFile(folder: string, name: string, wanted: z.output<typeof file>): Promise<void> {
  const path = join(folder, name);
  await requireReadable(path, 'Part of the exported ranker');
  const { size: bytes } = await stat(path);
  if (bytes !== wanted.bytes) throw unusableRanker(folder, `${name} has ${bytes} bytes, not ${wanted.bytes}`);
  if ((await hashFile(path)) !== wanted.sha256)
    throw unusableRanker(folder, `${name} is not the file that ${descriptionFile} means`);
}

/** @param problem a text, or what was thrown */
export function unusableRanker(folder: string, problem: unknown): CourierError {
  const why = messageOf(problem).replace(/\.$/, '');
  return new CourierError(
    'FILE_CORRUPT',
    `Exported ranker ${folder} cannot be used: ${why}.`,
    'Name a folder that `courier rank --export` of this version wrote, or export it again.',
    { cause: problem },
  );
}
