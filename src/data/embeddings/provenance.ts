/** Where embeddings come from, as it stands in the metadata of their file: nothing for those of others. */
import { z } from 'zod';
import { exists, readInput, requireReadable } from '../../storage/files.ts';
import { parseJson } from '../../storage/json.ts';
import { readSafeTensorsHeader } from '../../storage/safetensors.ts';
import { readParquetMetadata } from '../duckdb/parquet-table.ts';
import type { PhotoForm } from '../photos/stored-photo.ts';
import { type EmbeddingFiles, embeddingFiles } from './embedding-files.ts';
import { type EmbeddingSize, sizeText } from './embedding-size.ts';
import { learnedUntilIn, learnedUntilMetadata } from './learned-until.ts';

/** What made embeddings: only those of one origin can be compared. All by SHA-256 of the file. */
export interface Origin {
  readonly encoder: string;
  readonly precision: string;
  /** The model that ran: the encoder itself, or what became of it at this precision. */
  readonly model: string;
  /** At which size they are there, as `embeddingSizes` has it; whole embeddings have none. */
  readonly size?: string | undefined;
}

/** The dataset whose photos were embedded. */
export interface PhotosOf {
  /** Its hash. */
  readonly dataset: string;
  /** Side of its photos in pixels, and how they are kept: the hash of each item's photo is of the pixels that come of it. */
  readonly side: number;
  readonly kept: PhotoForm;
}

export interface Provenance {
  /** null for embeddings of others. */
  readonly origin: Origin | null;
  /** Up to when their encoder has seen clicks, milliseconds since 1970-01-01 UTC; null where that is not known. */
  readonly learnedUntil: number | null;
  /** null for photos of a folder, or of others. */
  readonly photosOf: PhotosOf | null;
  /** How the photos of a folder became pixels, a version; absent where it is not known, and for those of a dataset, whose pixels are hashed. */
  readonly pixels?: string;
}

const prefix = 'courier.';
export const originSchema = z.object({
  encoder: z.string(),
  precision: z.string(),
  model: z.string(),
  size: z.string().optional(),
});
const pixelsSchema = z.object({ pixels: z.string() });
const photosSchema = z.object({
  dataset: z.string(),
  side: z.coerce.number().int().positive(),
  kept: z.enum(['pixels', 'jpeg']).default('pixels'),
});

/** Beside a matrix, which has no room for it. */
const sidecarFormat = 'courier-embeddings-1';
const sidecarSchema = z.object({
  format: z.literal(sidecarFormat),
  metadata: z.record(z.string(), z.string()),
});

/** Texts for the metadata of a file. */
export function provenanceMetadata({
  origin,
  learnedUntil,
  photosOf,
  pixels,
}: Provenance): Readonly<Record<string, string>> {
  const said = { ...origin, ...photosOf, ...(pixels === undefined ? {} : { pixels }) };
  const own = Object.entries(said).map(([key, value]) => [prefix + key, `${value}`]);
  return { ...Object.fromEntries(own), ...learnedUntilMetadata(learnedUntil) };
}

/** Where embeddings at a size come from that were whole. */
export function provenanceAtSize(provenance: Provenance, size: EmbeddingSize): Provenance {
  const [{ origin }, text] = [provenance, sizeText(size)];
  return origin === null || text === null ? provenance : { ...provenance, origin: { ...origin, size: text } };
}

export function provenanceIn(metadata: ReadonlyMap<string, string>): Provenance {
  const own = [...metadata].filter(([key]) => key.startsWith(prefix));
  const named = Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
  return {
    origin: originSchema.safeParse(named).data ?? null,
    learnedUntil: learnedUntilIn(metadata),
    photosOf: photosSchema.safeParse(named).data ?? null,
    ...pixelsSchema.safeParse(named).data,
  };
}

/** `vectors.npy` → `vectors.json` */
export function sidecarOf(matrix: string): string {
  return matrix.replace(/\.npy$/i, '.json');
}

/** What stands in the file beside a matrix. */
export function sidecar(provenance: Provenance): object {
  return { format: sidecarFormat, metadata: provenanceMetadata(provenance) };
}

/**
 * Where embeddings come from.
 * @param name as `readEmbeddings` takes it
 * @throws CourierError FILE_NOT_FOUND, FILE_CORRUPT
 */
export async function readProvenance(name: string): Promise<Provenance> {
  const files = embeddingFiles(name);
  await requireReadable(files.vectors, 'Embeddings');
  return provenanceAtSize(provenanceIn(await readMetadata(files)), files.size);
}

async function readMetadata({ vectors }: EmbeddingFiles): Promise<ReadonlyMap<string, string>> {
  if (/\.(csv|tsv)(\.gz|\.zst)?$/i.test(vectors)) return new Map();
  if (/\.safetensors$/i.test(vectors)) {
    const { metadata } = await readSafeTensorsHeader(vectors, 'Embeddings');
    return new Map(Object.entries(metadata));
  }
  return /\.npy$/i.test(vectors) ? readSidecar(sidecarOf(vectors)) : readParquetMetadata(vectors);
}

/** Another file of that name says nothing. */
async function readSidecar(path: string): Promise<ReadonlyMap<string, string>> {
  if (!(await exists(path))) return new Map();
  const json = parseJson((await readInput(path, 'Provenance of embeddings')).toString('utf8'));
  return new Map(Object.entries(sidecarSchema.safeParse(json).data?.metadata ?? {}));
}
