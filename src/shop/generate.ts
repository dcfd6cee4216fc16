/** Writes a generated shop the way a user would have it: a catalogue, a click log and a folder of photos. */
import { join } from 'node:path';
import { parseConfig } from '../config.ts';
import { silent, type WorkOptions } from '../progress.ts';
import { Random } from '../random.ts';
import { prepareOutputFolder, writeFileWhole, writeJson } from '../storage/files.ts';
import { makeCatalogue, type ShopItem } from './catalogue.ts';
import { type ShopFolderConfigInput, shopFolderConfig } from './config.ts';
import { type ShopFiles, shopFiles } from './files.ts';
import { type ShopPageView, simulateLog } from './log.ts';
import { renderPhoto } from './photo.ts';
import { truthOf } from './truth.ts';

/** Paths of what was written. */
const STAGE = 'Render photos';
/** Photos that are drawn at the same time. */
const CONCURRENT = 8;

/**
 * Generates a shop. The same settings give the same files.
 * @throws CourierError CONFIG_INVALID or OUTPUT_NOT_WRITABLE; the signal's reason once it is aborted
 */
export async function generateShop(
  settings: ShopFolderConfigInput,
  options: WorkOptions = {},
): Promise<ShopFiles> {
  const parsed = parseConfig(shopFolderConfig, settings, 'shop configuration');
  const files = shopFiles(parsed.out);
  await prepareOutputFolder(files.images);
  const catalogue = makeCatalogue(parsed);
  const log = simulateLog(parsed, catalogue);
  await renderPhotos(files.images, catalogue, parsed.seed, parsed.photoSide, options);
  await writeFileWhole(files.catalogue, catalogueCsv(catalogue));
  await writeFileWhole(files.clicks, clicksCsv(catalogue, log));
  await writeJson(files.truth, truthOf(catalogue, log));
  return files;
}

async function renderPhotos(
  folder: string,
  catalogue: readonly ShopItem[],
  seed: number,
  side: number,
  { progress = silent, signal }: WorkOptions,
): Promise<void> {
  progress({ kind: 'start', stage: STAGE, total: catalogue.length, unit: 'photos' });
  let done = 0;
  const waiting = catalogue.values();
  const render = async () => {
    for (const item of waiting) {
      signal?.throwIfAborted();
      const photo = await photoOf(item, seed, side);
      await writeFileWhole(join(folder, imageName(item)), photo);
      progress({ kind: 'advance', stage: STAGE, done: ++done });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, render));
  progress({ kind: 'end', stage: STAGE });
}

/** The photo of an item as JPEG, the same for the same seed and side. */
export function photoOf({ id, look }: ShopItem, seed: number, side: number): Promise<Buffer> {
  return renderPhoto(look, Random.seeded(seed, `shop photo ${id}`), side);
}

function imageName(item: ShopItem): string {
  return `${item.id}.jpg`;
}

function catalogueCsv(catalogue: readonly ShopItem[]): string {
  return csv(
    ['item_id', 'image', 'title', 'collection', 'price'],
    catalogue.map((item) => [item.id, imageName(item), item.title, item.collection, item.price]),
  );
}

function clicksCsv(catalogue: readonly ShopItem[], log: readonly ShopPageView[]): string {
  const rows = log.flatMap(({ id, user, time, exposures }) =>
    exposures.map(({ item, clicked }, position) => {
      const shown = catalogue[item]!;
      return [id, user, new Date(time).toISOString(), shown.id, position + 1, shown.price, clicked ? 1 : 0];
    }),
  );
  return csv(['page_view', 'user', 'time', 'item_id', 'position', 'price', 'clicked'], rows);
}

/** Nothing that the shop writes needs quoting: no comma, quote or line break occurs in it. */
function csv(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return `${[header, ...rows].map((row) => row.join(',')).join('\n')}\n`;
}
