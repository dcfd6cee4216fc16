/** Embedding: encoder → embeddings of the whole catalogue. */
import { z } from 'zod';
import { parseConfig } from '../config.ts';
import { embeddingsOfItems, writeEmbeddings } from '../data/embeddings.ts';
import { ExportedEncoder } from '../encoders/load.ts';
import type { Progress } from '../progress.ts';
import { withDataset } from './with-dataset.ts';

export const embedConfig = z.strictObject({
  dataset: z.string().min(1),
  /** An encoder.onnx that takes uint8 photos of the dataset's side. */
  encoder: z.string().min(1),
  /** Parquet file to write: `item_id`, `embedding`. */
  out: z.string().min(1),
});

export type EmbedConfigInput = z.input<typeof embedConfig>;

export interface EmbedResult {
  readonly embeddings: string;
  readonly items: number;
  readonly dimension: number;
}

/**
 * Embeds every photo of a dataset and writes the embeddings by item id.
 * @throws CourierError CONFIG_INVALID, FILE_NOT_FOUND, FILE_CORRUPT, OUTPUT_NOT_WRITABLE
 */
export async function embed(settings: EmbedConfigInput, progress: Progress): Promise<EmbedResult> {
  const config = parseConfig(embedConfig, settings, 'embed configuration');
  return withDataset(config.dataset, async (dataset, engine) => {
    const encoder = await ExportedEncoder.open(config.encoder, dataset.images.side, engine);
    const stored = embeddingsOfItems(dataset, await encoder.embedAll(dataset.images, progress));
    await writeEmbeddings(config.out, stored);
    return { embeddings: config.out, items: stored.ids.length, dimension: stored.dimension };
  });
}
