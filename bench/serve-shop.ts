/** The shop whose server is measured: histories of 50 clicks, and a ranker that looks at all of them. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { closeDataset, loadDataset } from '../src/data/store.ts';
import { embed } from '../src/pipelines/embed/index.ts';
import { ingest } from '../src/pipelines/ingest/index.ts';
import { shopSource } from '../src/shop/files.ts';
import { generateShop } from '../src/shop/generate.ts';
import { parseJson } from '../src/storage/json.ts';
import { exportOf } from '../test/support/served-shop.ts';
import { writeUntrainedEncoder } from '../test/support/untrained-encoder.ts';

const size = { items: 1000, shoppers: 100, pageViews: 4000 };

/** Pixels a side of photos, and of what the encoder sees. */
const side = 32;

export const historyLength = 50;
export const candidates = 50;

const shopSchema = z.strictObject({
  /** Folder of the export. */
  served: z.string(),
  users: z.array(z.string()).readonly(),
  items: z.array(z.string()).readonly(),
  /** Path of a photo. */
  photo: z.string(),
});

export type MeasuredShop = z.output<typeof shopSchema>;

/** @param path of the file that `measuredShop` wrote */
export async function readShop(path: string): Promise<MeasuredShop> {
  return shopSchema.parse(parseJson(await readFile(path, 'utf8')));
}

/** @returns the path of a file that programs of their own read */
export async function measuredShop(folder: string): Promise<string> {
  const files = await generateShop({ ...size, photoSide: side, out: join(folder, 'shop') });
  const dataset = join(folder, 'dataset');
  await ingest({ ...shopSource(files), out: dataset, side, historyLength });
  const encoder = await writeUntrainedEncoder(join(folder, 'encoder.onnx'), side);
  const embeddings = join(folder, 'embeddings.parquet');
  await embed({ encoder, dataset, out: embeddings });
  const { served } = await exportOf({ folder, dataset, embeddings, encoder }, { name: 'measured' });
  const data = await loadDataset(dataset);
  closeDataset(data);
  const [photo = ''] = await readdir(files.images);
  const path = join(folder, 'measured-shop.json');
  const { users, catalogue } = data;
  const shop = { served, users, items: catalogue.ids, photo: join(files.images, photo) };
  await writeFile(path, JSON.stringify(shop satisfies MeasuredShop));
  return path;
}
