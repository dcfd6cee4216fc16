/** What is explained: an encoder with its attention, the embeddings it gave, and those it is compared with. */

import { join } from 'node:path';
import { z } from 'zod';
import type { Dataset } from '../../data/dataset.ts';
import { embeddingsOfItems } from '../../data/embeddings/embeddings.ts';
import { readProvenance } from '../../data/embeddings/provenance.ts';
import { embedAll } from '../../encoders/embed-rows.ts';
import { readEncoderFile } from '../../encoders/file.ts';
import { requireSide } from '../../encoders/load.ts';
import { EncoderPool } from '../../encoders/pool.ts';
import { CourierError } from '../../errors.ts';
import { requireOwnPhotos } from '../../evaluation/own-photos.ts';
import { loadItemEmbeddings } from '../../evaluation/visual-inputs.ts';
import { ItemEmbeddings } from '../../features/item-embeddings.ts';
import { attentionFile } from '../../objectives/courier-lesson.ts';
import { silent, type WorkOptions } from '../../progress.ts';
import { manifestFile } from '../../runs/run-folder.ts';
import type { Engine } from '../../runtime/engine.ts';
import { exists, hashFile, readInput, requireReadable } from '../../storage/files.ts';
import { parseJson } from '../../storage/json.ts';
import { embeddingsFile } from '../../training/embedding-sources.ts';
import { encoderFile } from '../../training/written-encoder.ts';
import { ownName } from './config.ts';

/** A finished run of pretrain whose reconstruction asks the candidate. */
export interface EncoderRun {
  readonly encoder: string;
  readonly attention: string;
  /** History places of the attention. */
  readonly places: number;
  /** Length of the embeddings. */
  readonly dimension: number;
}

export interface NamedEmbeddings {
  readonly name: string;
  readonly embeddings: ItemEmbeddings;
}

/** The part of pretrain's manifest used here. */
const manifestSchema = z.object({
  pipeline: z.literal('pretrain'),
  config: z.object({
    history: z.int().positive(),
    encoder: z.object({ dimension: z.int().positive() }),
    objective: z.object({ name: z.string(), form: z.string().optional() }),
  }),
});

/**
 * @throws CourierError FILE_NOT_FOUND for a folder that is no finished run, or whose objective has no attention;
 * FILE_CORRUPT for a manifest of something else
 */
export async function openEncoderRun(folder: string): Promise<EncoderRun> {
  const [encoder, attention] = [join(folder, encoderFile), join(folder, attentionFile)];
  const path = join(folder, manifestFile);
  const text = (await readInput(path, 'Manifest of the encoder run')).toString('utf8');
  const parsed = manifestSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const remedy = 'Name a run folder of pretrain, such as OUT/courier/seed-1 of compare.';
    throw new CourierError('FILE_CORRUPT', `${path} is not of a run of pretrain.`, remedy);
  }
  const { history: places, encoder: shape, objective } = parsed.data.config;
  await requireReadable(encoder, 'Encoder');
  if (!(await exists(attention))) throw withoutAttention(folder, objective);
  return { encoder, attention, places, dimension: shape.dimension };
}

function withoutAttention(folder: string, { name, form }: { name: string; form?: string | undefined }) {
  const why =
    name === 'courier'
      ? `its reconstruction (${form ?? 'of unknown form'}) does not ask the clicked item which earlier clicks matter`
      : `its objective ${name} rebuilds nothing from earlier clicks`;
  return new CourierError(
    'FILE_NOT_FOUND',
    `${folder} has no ${attentionFile}: ${why}.`,
    'Name a run of pretrain with the objective courier in the form projected-attention or full-attention.',
  );
}

/**
 * The encoder's own embeddings first, then the others in the order given, in the order of the catalogue each.
 * @param files by name
 * @throws CourierError VALUE_INVALID for embeddings that another encoder gave; those of reading
 */
export async function loadSources(
  dataset: Dataset,
  run: EncoderRun,
  folder: string,
  files: Readonly<Record<string, string>>,
  engine: Engine,
  options: WorkOptions,
): Promise<readonly [NamedEmbeddings, ...NamedEmbeddings[]]> {
  const beside = join(folder, embeddingsFile);
  const own = files[ownName] ?? ((await exists(beside)) ? beside : null);
  if (own !== null) await requireSameEncoder(own, run);
  for (const file of Object.values({ ...files, ...(own === null ? {} : { [ownName]: own }) }))
    await requireOwnPhotos(dataset, file);
  const embeddings =
    own === null
      ? await embedCatalogue(dataset, run, engine, options)
      : await loadItemEmbeddings(dataset, own);
  if (embeddings.dimension !== run.dimension)
    throw foreign(own ?? run.encoder, `they have length ${embeddings.dimension}, not ${run.dimension}`);
  const others: NamedEmbeddings[] = [];
  for (const [name, file] of Object.entries(files)) {
    if (name !== ownName) others.push({ name, embeddings: await loadItemEmbeddings(dataset, file) });
  }
  return [{ name: ownName, embeddings }, ...others];
}

async function embedCatalogue(
  dataset: Dataset,
  run: EncoderRun,
  engine: Engine,
  { progress = silent, signal }: WorkOptions,
): Promise<ItemEmbeddings> {
  const file = await readEncoderFile(run.encoder);
  requireSide(file, dataset.images.side);
  const pool = await EncoderPool.open(file, engine.device, engine.threads);
  const photos = await embedAll(pool, dataset.images, { progress, signal }).finally(() => pool.close());
  const { ids, vectors } = embeddingsOfItems(dataset, photos);
  return ItemEmbeddings.forCatalogue(dataset.catalogue, ids, vectors);
}

/** Attention is learned in the space of one encoder; in that of another it means nothing. */
async function requireSameEncoder(path: string, run: EncoderRun): Promise<void> {
  const { origin } = await readProvenance(path);
  if (origin !== null && origin.encoder !== (await hashFile(run.encoder)))
    throw foreign(path, 'another encoder gave them');
}

function foreign(path: string, why: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `${path} cannot stand for the embeddings of the encoder that is explained: ${why}.`,
    `Embed the catalogue with its ${encoderFile}, or leave the file out. To compare with other embeddings, name them: other=FILE.`,
  );
}
