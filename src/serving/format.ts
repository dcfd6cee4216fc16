/** What a folder that a service opens holds: `serving.json`, and the files that it names with their hashes. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CourierError, messageOf } from '../errors.ts';
import { exportFiles } from '../rankers/export-format.ts';
import { hashFile, readInput, requireReadable, writeJson } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';

/** Beside the files of the exported ranker, which is whole without them. */
export const servingFiles = {
  /** Columns of items, in the order of their numbers: ids, codes of categories, numbers, hashes of pictures. */
  items: 'items.parquet',
  /** Ids of users, in the order of their numbers. */
  users: 'users.parquet',
  /** Embeddings of items by their numbers, zero without one. (N, d) */
  embeddings: 'embeddings.safetensors',
  /** What the counters behind base features know. */
  counters: 'counters.safetensors',
  /** What users clicked, in the order of time. */
  histories: 'histories.safetensors',
  /** Page views with the scores that their exposures have to get. */
  recorded: 'recorded.json',
  /** Photos to embeddings, for new items. */
  encoder: 'encoder.onnx',
  /** Which earlier clicks rebuild a candidate. */
  attention: 'attention.onnx',
} as const;

const manifestFile = 'serving.json';
const formatVersion = 2;

/** Bytes of serving.json. */
const manifestLimit = 2 ** 26;

/** Of a file that is read into memory as a whole. */
export const recordedLimit = 2 ** 26;

/** Items, and users, that are held in memory at most. */
export const itemsLimit = 2 ** 26;

const count = z.int().nonnegative();
const text = z.string().min(1).max(10_000);
const file = z.strictObject({ bytes: count, sha256: z.string().regex(/^[0-9a-f]{64}$/) });
const rate = z.number().min(0).max(1);

/** How many values fell into each of equally wide bins from `from` to `to`; what lies beyond is in the outermost. */
const histogram = z
  .strictObject({ from: z.number(), to: z.number(), counts: z.array(count).min(1).max(1000) })
  .refine(({ from, to }) => from < to, { error: 'has no width' });

const curve = z
  .strictObject({ scores: z.array(rate).min(1).max(1e6), probabilities: z.array(rate).min(1) })
  .refine(({ scores, probabilities }) => scores.length === probabilities.length, {
    error: 'has not as many scores as probabilities',
  })
  .refine(({ scores }) => scores.every((score, place) => place === 0 || score > scores[place - 1]!), {
    error: 'has scores that do not rise',
  })
  .refine(
    ({ probabilities }) =>
      probabilities.every((value, place) => place === 0 || value >= probabilities[place - 1]!),
    { error: 'has probabilities that fall' },
  );

const manifestSchema = z.strictObject({
  format: z.literal('courier-serving'),
  version: z.literal(formatVersion),
  dataset: z.strictObject({ name: z.string(), hash: z.string() }),
  /** Events before this moment are in the state; milliseconds since 1970-01-01 UTC. */
  until: z.number(),
  /** The longest time for which the log of the dataset says nothing, and no less than a day: longer, the state was not told. Milliseconds. */
  silence: z.number().positive(),
  counters: z.strictObject({
    withExposures: z.boolean(),
    lag: z.number().nonnegative(),
    period: z.number().positive(),
  }),
  items: count.max(itemsLimit),
  users: count.max(itemsLimit),
  /** Of the dataset, in the order of their columns; code 0 stands for a text that is missing. */
  categories: z.array(z.strictObject({ name: text, values: z.array(z.string()).min(1) })).max(1000),
  /** Base features that come with the log: the mean, and whether training saw gaps, which then have a column of their own. */
  numeric: z.array(z.strictObject({ name: text, mean: z.number(), gaps: z.boolean() })).max(10_000),
  /** What the dataset shows of each base feature that the ranker takes, from the least to the most. */
  ranges: z
    .array(
      z
        .strictObject({ name: text, least: z.number(), most: z.number() })
        .refine(({ least, most }) => least <= most, { error: 'has no values between' }),
    )
    .max(10_000),
  /** Length of an embedding, and what made them: null for those of others. null without embeddings. */
  embeddings: z
    .strictObject({ dimension: z.int().min(1).max(65_536), encoder: z.string().nullable() })
    .nullable(),
  /** How photos are kept in the dataset that was embedded: a new one is brought into the same form. */
  photos: z.strictObject({ side: z.int().min(8).max(512), kept: z.enum(['pixels', 'jpeg']) }),
  /** Places of a history that attention.onnx takes; null without it. */
  attentionPlaces: z.int().min(1).max(10_000).nullable(),
  /** Scores to probabilities, fitted on the validation period; null where that has no rows. */
  calibration: curve.nullable(),
  /** What was seen on the validation period. */
  reference: z.strictObject({
    scores: histogram,
    /** Of exposures whose history can be compared; null without embeddings. */
    simScores: histogram.nullable(),
    /** Share of candidates whose id the ranker does not know. */
    unknown: rate,
  }),
  versions: z.record(z.string(), z.string()),
  files: z.record(z.string(), file),
});

export type ServingManifest = z.output<typeof manifestSchema>;
export type Histogram = z.output<typeof histogram>;

/** Names of all files that a folder may have. */
const allowed: readonly string[] = [
  'ranker.json',
  ...Object.values(exportFiles),
  ...Object.values(servingFiles),
];

/**
 * Writes `serving.json` beside the files that are already in the folder.
 * @param names of these files
 * @throws CourierError OUTPUT_NOT_WRITABLE
 */
export async function writeManifest(
  folder: string,
  names: readonly string[],
  about: Omit<ServingManifest, 'format' | 'version' | 'files'>,
): Promise<void> {
  const files: Record<string, z.output<typeof file>> = {};
  for (const name of names) {
    const path = join(folder, name);
    files[name] = { bytes: (await stat(path)).size, sha256: await hashFile(path) };
  }
  const manifest = { format: 'courier-serving', version: formatVersion, ...about, files };
  await writeJson(join(folder, manifestFile), manifestSchema.parse(manifest));
}

/**
 * Reads `serving.json` and checks that every file is there and is the one that it means.
 * @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE; FILE_CORRUPT for a folder of another format, or one that was altered
 */
export async function readManifest(folder: string): Promise<ServingManifest> {
  const path = join(folder, manifestFile);
  await requireReadable(path, 'Export');
  const { size } = await stat(path);
  if (size > manifestLimit) throw unusableExport(folder, `${manifestFile} has ${size} bytes`);
  const parsed = manifestSchema.safeParse(parseJson((await readInput(path, 'Export')).toString('utf8')));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const problem = `${issue?.path.join('.')}: ${issue?.message}`;
    throw unusableExport(folder, `${manifestFile} is not of format version ${formatVersion}: ${problem}`);
  }
  const missing = requiredFiles(parsed.data).find((name) => parsed.data.files[name] === undefined);
  if (missing !== undefined) throw unusableExport(folder, `${manifestFile} does not name ${missing}`);
  for (const [name, wanted] of Object.entries(parsed.data.files)) {
    if (!allowed.includes(name)) throw unusableExport(folder, `${name} is no file of an export`);
    const own = join(folder, name);
    await requireReadable(own, 'Part of the export');
    const { size: bytes } = await stat(own);
    if (bytes !== wanted.bytes)
      throw unusableExport(folder, `${name} has ${bytes} bytes, not ${wanted.bytes}`);
    if ((await hashFile(own)) !== wanted.sha256)
      throw unusableExport(folder, `${name} is not the file that ${manifestFile} means`);
  }
  return parsed.data;
}

/** What is read of a folder has to be what its manifest means. */
function requiredFiles({ embeddings, attentionPlaces }: ServingManifest): readonly string[] {
  const { items, users, counters, histories, recorded } = servingFiles;
  return [
    ...['ranker.json', exportFiles.model, exportFiles.ids, exportFiles.table],
    ...[items, users, counters, histories, recorded],
    ...(embeddings === null ? [] : [servingFiles.embeddings]),
    ...(embeddings === null || embeddings.encoder === null ? [] : [servingFiles.encoder]),
    ...(attentionPlaces === null ? [] : [servingFiles.attention]),
  ];
}

/** @param problem a text, or what was thrown */
export function unusableExport(folder: string, problem: unknown): CourierError {
  const why = messageOf(problem).replace(/\.$/, '');
  return new CourierError(
    'FILE_CORRUPT',
    `Export ${folder} cannot be served: ${why}.`,
    'Name a folder that `courier export` of this version wrote, or export it again.',
    { cause: problem },
  );
}
