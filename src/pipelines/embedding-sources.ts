/** Where item embeddings can come from. One entry a source; the rest of the code knows them by name only. */
import { join } from 'node:path';
import { type Dataset, NONE, splits } from '../data/dataset.ts';
import { embeddingsOfItems, writeEmbeddings } from '../data/embeddings.ts';
import { exportUntrainedEncoder } from '../encoders/export.ts';
import { createEncoder } from '../encoders/index.ts';
import { ExportedEncoder } from '../encoders/load.ts';
import { writeFileWhole } from '../files.ts';
import { embedByHog } from '../objectives/hog.ts';
import { embedByPixelPca } from '../objectives/pixel-pca.ts';
import type { Progress } from '../progress.ts';
import { Random } from '../random.ts';
import type { Engine } from '../runtime/engine.ts';
import { encoderFile, pretrain } from './pretrain.ts';
import type { PretrainConfig } from './pretrain-config.ts';

export const sourceNames = ['courier', 'random', 'pixel-pca', 'hog'] as const;
export type SourceName = (typeof sourceNames)[number];

export interface SourceContext {
  readonly dataset: Dataset;
  /** Folder of the source's artefacts, of its own for each source and seed. */
  readonly folder: string;
  readonly pretrain: PretrainConfig;
  readonly engine: Engine;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

interface EmbeddingSource {
  /** Whether the seed changes the result. */
  readonly seeded: boolean;
  /** Embeds every photo: (M, d), of unit length. */
  embed(context: SourceContext): Promise<Float32Array>;
}

export const embeddingSources: Readonly<Record<SourceName, EmbeddingSource>> = {
  courier: {
    seeded: true,
    async embed({ dataset, pretrain: config, engine, progress, signal }) {
      const { encoder } = await pretrain(config, progress, signal);
      return embedWith(encoder, dataset, engine, progress);
    },
  },
  random: {
    seeded: true,
    async embed({ dataset, folder, pretrain: config, engine, progress }) {
      const encoder = createEncoder({ ...config.encoder, side: dataset.images.side });
      const path = join(folder, encoderFile);
      const model = exportUntrainedEncoder(encoder, Random.seeded(config.seed, 'parameters'));
      await writeFileWhole(path, model.encode('standard'));
      return embedWith(path, dataset, engine, progress);
    },
  },
  'pixel-pca': {
    seeded: false,
    embed: ({ dataset, progress }) => embedByPixelPca(dataset.images, trainingPhotos(dataset), progress),
  },
  hog: {
    seeded: false,
    embed: ({ dataset, progress }) => embedByHog(dataset.images, trainingPhotos(dataset), progress),
  },
};

export const embeddingsFile = 'embeddings.parquet';

/** Folder of a source's artefacts for a seed. */
export function sourceFolder(out: string, source: SourceName, seed: number): string {
  return embeddingSources[source].seeded ? join(out, source, `seed-${seed}`) : join(out, source);
}

/** Embeds the catalogue and writes `embeddings.parquet` into the source's folder. */
export async function produceEmbeddings(name: SourceName, context: SourceContext): Promise<void> {
  const vectors = await embeddingSources[name].embed(context);
  await writeEmbeddings(join(context.folder, embeddingsFile), embeddingsOfItems(context.dataset, vectors));
}

async function embedWith(
  path: string,
  dataset: Dataset,
  engine: Engine,
  progress: Progress,
): Promise<Float32Array> {
  const encoder = await ExportedEncoder.open(path, dataset.images.side, engine);
  return encoder.embedAll(dataset.images, progress).finally(() => encoder.release());
}

/** Photos of the items that the training period shows or remembers, ascending. */
export function trainingPhotos({ catalogue, pageViews, exposures }: Dataset): Int32Array {
  const photos = new Set<number>();
  const train = splits.indexOf('train');
  for (let pageView = 0; pageView < pageViews.user.length; pageView++) {
    if (pageViews.split[pageView] !== train) continue;
    const from = pageView * pageViews.historyLength;
    for (const item of pageViews.history.subarray(from, from + pageViews.historyLength)) {
      if (item !== NONE) photos.add(catalogue.photo[item]!);
    }
    for (let row = pageViews.start[pageView]!; row < pageViews.start[pageView + 1]!; row++) {
      photos.add(catalogue.photo[exposures.item[row]!]!);
    }
  }
  photos.delete(NONE);
  return Int32Array.from(photos).sort();
}
