/** dataset.json: what a dataset folder holds, and what it was made from. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { CourierError } from '../errors.ts';
import { measuredSchema } from '../metrics/measured.ts';
import { exists, readInput } from '../storage/files.ts';
import { splits } from './dataset.ts';

export const manifestName = 'dataset.json';
const formatVersion = 5;

export const dataFiles = {
  items: 'items.parquet',
  users: 'users.parquet',
  images: 'images.bin',
  /** Where photos lie that are kept as JPEG. */
  photos: 'photos.parquet',
  /** What was counted, where exposures are drawn and so do not tell. */
  events: 'events.parquet',
} as const;

/** The files of a part of the page views, and of their exposures. @param number from 0 */
export function partFiles(number: number): { readonly pageViews: string; readonly exposures: string } {
  const digits = `${number}`.padStart(5, '0');
  return { pageViews: `page_views-${digits}.parquet`, exposures: `exposures-${digits}.parquet` };
}

/** Whether a file belongs to a dataset folder. */
export function isDatasetFile(name: string): boolean {
  const whole: readonly string[] = [manifestName, ...Object.values(dataFiles)];
  return whole.includes(name) || /^(page_views|exposures)-\d{5,}\.parquet$/.test(name);
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();
const file = z.strictObject({ bytes: count, sha256 });
const vocabulary = z.strictObject({ name: z.string(), values: z.array(z.string()).min(1) });

const share = measuredSchema(z.number().min(0).max(1));
const candidateSide = z.strictObject({ exposures: count, coldShare: share });
const candidateFigures = z.strictObject({
  split: z.enum(splits),
  clicked: candidateSide,
  unclicked: candidateSide,
  popularityAuc: share,
});

const report = z.strictObject({
  counts: z.record(z.string(), z.number()),
  findings: z.array(z.strictObject({ what: z.string(), count, examples: z.array(z.string()) })),
  understood: z.array(z.string()),
  candidateSampling: z.string(),
  candidates: z.array(candidateFigures),
});

const content = z.strictObject({
  name: z.string(),
  /** Side of the photos in pixels. */
  side: z.int().positive(),
  photos: count,
  historyLength: z.int().positive(),
  numericNames: z.array(z.string()),
  /** Those of which a value is missing somewhere. */
  missing: z.array(z.string()),
  /** Page views from these times on are of the validation and of the test split. */
  splitTimes: z.strictObject({ validationFrom: z.number(), testFrom: z.number() }),
  /** Whether exposures have the row of their log, and their times. */
  logged: z.boolean(),
  /** Texts of the category codes of items.parquet and of the context codes of exposures. */
  categories: z.array(vocabulary),
  context: z.array(vocabulary),
  report,
  /** How base features were counted; an earlier version did not say. */
  counters: z
    .strictObject({
      withExposures: z.boolean(),
      lag: z.number().nonnegative(),
      period: z.number().positive(),
    })
    .optional(),
  /** `photos` is there where they are kept as JPEG, `events` where exposures do not tell what was counted. */
  files: z.strictObject({
    items: file,
    users: file,
    images: file,
    photos: file.optional(),
    events: file.optional(),
  }),
  /** Page views and exposures in the order of time, each part for itself. */
  parts: z.array(z.strictObject({ views: count, rows: count, pageViews: file, exposures: file })).min(1),
});

const manifest = z.strictObject({
  format: z.literal('courier-dataset'),
  version: z.literal(formatVersion),
  /** SHA-256 of `content`, which has the hash of every other file. */
  hash: sha256,
  content,
  /** What it was made from; a dataset is not another one because its input files were touched. */
  made: z.strictObject({ config: z.unknown(), inputs: sha256, appended: z.array(sha256) }),
});

export type ManifestContent = z.output<typeof content>;
export type DatasetManifest = z.output<typeof manifest>;

export function makeManifest(about: ManifestContent, made: DatasetManifest['made']): DatasetManifest {
  // Through the schema, which puts the keys into the order in which they will be read again.
  const ordered = content.parse(about);
  const hash = hashContent(ordered);
  return { format: 'courier-dataset', version: formatVersion, hash, content: ordered, made };
}

/** @throws CourierError FILE_NOT_FOUND, FILE_CORRUPT when it was cut or edited, DATASET_INVALID for another format */
export async function readManifest(folder: string): Promise<DatasetManifest> {
  const path = join(folder, manifestName);
  if (!(await exists(path)))
    throw new CourierError(
      'FILE_NOT_FOUND',
      `Dataset not found: ${path}`,
      'Name the folder that `courier ingest --out FOLDER` wrote.',
    );
  const text = (await readInput(path, 'Dataset')).toString('utf8');
  const parsed = manifest.safeParse(parseJson(text, path));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new CourierError(
      'DATASET_INVALID',
      `${path} does not describe a dataset of format version ${formatVersion}: ` +
        `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
      'Give a folder that `courier ingest` of this version wrote, or ingest again with overwrite.',
    );
  }
  if (hashContent(parsed.data.content) !== parsed.data.hash) throw damaged(path, 'its hash does not fit');
  return parsed.data;
}

export function damaged(path: string, reason: string): CourierError {
  return new CourierError(
    'FILE_CORRUPT',
    `${path} is damaged: ${reason}.`,
    'Ingest the dataset again with overwrite.',
  );
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw damaged(path, 'it is no JSON');
  }
}

function hashContent(value: ManifestContent): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
