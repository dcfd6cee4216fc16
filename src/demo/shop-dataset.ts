/** A generated shop and its dataset, made where they are not there. */
import { join } from 'node:path';
import { ingest } from '../pipelines/ingest/index.ts';
import type { WorkOptions } from '../progress.ts';
import type { ShopConfig } from '../shop/config.ts';
import { shopFiles, shopSource } from '../shop/files.ts';
import { generateShop } from '../shop/generate.ts';
import { exists } from '../storage/files.ts';
import { clearBelow } from '../storage/lock.ts';

interface Settings {
  readonly out: string;
  readonly shop: ShopConfig;
  /** Of the decoded photos in pixels. */
  readonly side: number;
}

/** @returns paths of the dataset and of the shop's truth */
export async function shopDataset(
  { out, shop, side }: Settings,
  options: WorkOptions,
): Promise<{ readonly dataset: string; readonly truth: string }> {
  const [folder, dataset] = [join(out, 'shop'), join(out, 'dataset')];
  const files = shopFiles(folder);
  if (!(await exists(files.truth))) {
    if (await exists(folder)) await clearBelow(folder);
    await generateShop({ ...shop, out: folder }, options);
  }
  await ingest({ ...shopSource(files), name: 'generated shop', out: dataset, side }, options);
  return { dataset, truth: files.truth };
}
