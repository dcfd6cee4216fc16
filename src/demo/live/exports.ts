/** From a dataset to what the arms of an experiment serve: rankers without and with images, as a server opens them. */
import { join } from 'node:path';
import { embed } from '../../pipelines/embed/index.ts';
import { exportServing } from '../../pipelines/export/index.ts';
import { pretrain } from '../../pipelines/pretrain/index.ts';
import { rank } from '../../pipelines/rank/index.ts';
import type { WorkOptions } from '../../progress.ts';
import type { LiveConfig } from './config.ts';

/** Folders of exports. */
export interface ArmExports {
  readonly control: string;
  /** null where the arms serve the same. */
  readonly images: string | null;
}

/** Of the days of the log, what the encoder and the first rankers learn from: the rest is for the rankers that are served. */
const olderShare = 2 / 3;

/** Trains what is not trained yet, and exports it with all that the log tells. */
export async function armExports(
  dataset: string,
  { out, shop: { seed }, features, ...config }: LiveConfig,
  options: WorkOptions,
): Promise<ArmExports> {
  const at = (name: string) => join(out, name);
  const { encoder } = await pretrain(
    { ...config.pretrain, dataset, seed, olderShare, out: at('encoder') },
    options,
  );
  const embeddings = at('embeddings.parquet');
  await embed({ dataset, encoder, out: embeddings, device: config.pretrain.device }, options);
  const exported = async (which: string, name: string) => {
    const { exported: ranker } = await rank(
      {
        ...{ dataset, olderShare, out: at('rankers'), export: which },
        ...{ embeddings: { courier: embeddings }, features: [...new Set(['none', features])] },
        ...{ ranker: config.ranker, choices: config.choices, seeds: [seed] },
        ...{ starts: ['warm'], diagnosis: false },
      },
      options,
    );
    if (ranker === null) throw new Error('the ranker was not exported');
    // Both have the encoder: whoever is told of a new item embeds its photo for all.
    const settings = { dataset, ranker: ranker.folder, embeddings, encoder, out: at(name) };
    return (await exportServing(settings, options)).folder;
  };
  return {
    control: await exported('none', 'export-control'),
    images: features === 'none' ? null : await exported(features, 'export-images'),
  };
}
