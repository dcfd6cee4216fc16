/** The catalogue of the table adapter: metadata and photo of every item of the log. */

import { CourierError } from '../../errors.ts';
import { LargeMap } from '../../large-map.ts';
import { oneLine, percent } from '../../text.ts';
import { BadRows, Findings } from '../findings.ts';
import { Indexer } from '../indexer.ts';
import type { PhotoInput } from '../photos/photo-file.ts';
import { embeddedPhotos, photoInText } from './embedded-photos.ts';
import { IdLooks } from './id-looks.ts';
import { inputName } from './input-files.ts';
import type { LogRows } from './log-row.ts';
import { openPhotos } from './open-photos.ts';
import type { PhotoCollection, PhotoPlace } from './photo-collection.ts';
import { downloadedPhoto } from './photo-downloads.ts';
import type { SourceContext, SourceItem } from './source.ts';
import type { TableOptions } from './table-options.ts';
import { readTextTable } from './text-table.ts';
import { givenText, wholeId } from './words.ts';

export interface TableCatalogue {
  /** Items of the catalogue; those that only the log knows are added to it by reading the log. */
  readonly items: Indexer;
  /**
   * Describes every item of the indexer.
   * @throws CourierError VALUE_INVALID where log, catalogue and photos do not meet
   */
  describe(log: LogRows, findings: Findings): Described;
}

export interface Described {
  readonly items: SourceItem[];
  /** How well log, catalogue and photos meet, in words. */
  readonly understood: readonly string[];
}

/** @throws CourierError of readTextTable, TOO_MANY_BAD_ROWS, or FILE_NOT_FOUND for the image folder */
export async function openCatalogue(
  options: TableOptions,
  context: SourceContext,
  findings: Findings,
): Promise<TableCatalogue> {
  const photos = options.images === undefined ? null : await openPhotos(options.images);
  const items = new Indexer(context.before?.items);
  const known = await readItems(options, photos, items, context, findings);
  return {
    items,
    describe(log, found) {
      // Items of before are as they were: what is odd about them was told then.
      const before = context.before?.items.length ?? 0;
      const told = new Findings();
      const described = items.ids.map(
        (id, index) => known.get(index) ?? unknownItem(id, options, photos, index < before ? told : found),
      );
      const understood = requireJoins(log, described, (item) => known.has(item), options, photos);
      return { items: described, understood };
    },
  };
}

async function readItems(
  options: TableOptions,
  photos: PhotoCollection | null,
  items: Indexer,
  context: SourceContext,
  findings: Findings,
): Promise<LargeMap<number, SourceItem>> {
  const { catalogue } = options;
  if (catalogue === undefined) return new LargeMap();
  const { path, item, image, title, categories, encoding, quote } = catalogue;
  // An append reads the catalogue again: its rows were told of before.
  const told = new Findings();
  const badRows = new BadRows(inputName(path), context.before === undefined ? findings : told);
  const { signal, scratch } = context;
  const reading = { what: 'Catalogue', badRows, findings, encoding, quote, signal, scratch };
  const embedded = image === undefined ? null : await embeddedPhotos(path, image, reading, scratch);
  const optional = [embedded === null ? image : undefined, title].filter((name) => name !== undefined);
  const table = await readTextTable(path, [item, ...optional, ...categories], reading);
  const looks = new IdLooks(item);
  for (const text of table.columns.get(item) ?? []) looks.at(text ?? '', 1);
  looks.require();
  const known = new LargeMap<number, SourceItem>();
  let hasPhoto = false;
  for (const [index, row] of table.row.entries()) {
    const cell = (name: string | undefined): string | null =>
      name === undefined ? null : givenText(table.columns.get(name)?.[index] ?? null);
    const id = cell(item);
    if (id === null) {
      badRows.skip(row, `empty ${item}`, table.columns.get(item)?.[index] ?? null);
      continue;
    }
    const whole = wholeId(id);
    const place = items.indexOf(whole);
    const own = place < (context.before?.items.length ?? 0) ? told : findings;
    if (known.has(place)) {
      own.add('Catalogue rows of an item already seen, dropped', `row ${row}: ${whole}`);
      continue;
    }
    const photo =
      embedded === null
        ? photoOf(whole, image === undefined ? undefined : cell(image), photos, options, own)
        : (embedded.get(row - 1) ?? null);
    hasPhoto ||= photo !== null;
    known.set(place, {
      id: whole,
      photo,
      title: cell(title),
      categories: categories.map((name) => cell(name)),
    });
  }
  badRows.check(table.total, context.maxBadRows);
  if (image !== undefined && photos === null && !hasPhoto)
    throw withoutImages(image, table.columns.get(image)?.find((text) => text !== null) ?? '');
  return known;
}

/** @param named what the catalogue says; null where it says nothing of this item, undefined where it has no such column */
function photoOf(
  id: string,
  named: string | null | undefined,
  photos: PhotoCollection | null,
  options: TableOptions,
  findings: Findings,
): PhotoInput | null {
  // An empty list names nothing.
  if (named === null || named === '[]') return null;
  const written = named === undefined ? null : photoInText(named);
  if (written !== null) return written;
  if (photos === null) return null;
  const place = named === undefined ? photos.ofItem(id) : photos.named(named);
  return foundPhoto(
    place,
    named === undefined ? id : `${id}: ${named}`,
    named !== undefined,
    options,
    findings,
  );
}

function foundPhoto(
  place: PhotoPlace,
  example: string,
  isNamed: boolean,
  { images, download }: TableOptions,
  findings: Findings,
): PhotoInput | null {
  switch (place.kind) {
    case 'found':
      if (place.others > 0) findings.add('Items with several photos, of which the first is taken', example);
      return place.photo;
    case 'outside':
      findings.add('Image paths that lead out of the image folder, ignored', example);
      return null;
    case 'remote':
      if (download && images !== undefined) return downloadedPhoto(place.address, images);
      findings.add(
        'Image addresses, which are not fetched: `download` fetches them into the image folder',
        example,
      );
      return null;
    case 'shared':
      findings.add('Items whose name several photos in several folders have, none is taken', example);
      return null;
    case 'missing':
      if (isNamed) findings.add('Photos that the catalogue names and the image folder lacks', example);
      return null;
  }
}

function unknownItem(
  id: string,
  options: TableOptions,
  photos: PhotoCollection | null,
  findings: Findings,
): SourceItem {
  const { catalogue } = options;
  if (catalogue !== undefined) findings.add('Items of the log that are not in the catalogue', id);
  const categories = catalogue?.categories.map(() => null) ?? [];
  return { id, photo: photoOf(id, undefined, photos, options, findings), title: null, categories };
}

/** Counts how many exposures and clicks meet something. */
function shares({ item, clicked }: LogRows, meets: (item: number) => boolean) {
  let [exposures, clicks, allClicks] = [0, 0, 0];
  for (let row = 0; row < item.length; row++) {
    const met = meets(item[row]!) ? 1 : 0;
    exposures += met;
    clicks += met * clicked[row]!;
    allClicks += clicked[row]!;
  }
  return { exposures: exposures / item.length, clicks: clicks / Math.max(1, allClicks) };
}

function requireJoins(
  log: LogRows,
  items: readonly SourceItem[],
  isKnown: (item: number) => boolean,
  { catalogue, images, minimumJoin }: TableOptions,
  photos: PhotoCollection | null,
): readonly string[] {
  const understood: string[] = [];
  const unmet = (meets: (item: number) => boolean) =>
    [...new Set(log.item.filter((item) => !meets(item)))].slice(0, 3).map((item) => items[item]!.id);
  if (catalogue !== undefined) {
    const share = shares(log, isKnown);
    understood.push(`Catalogue: knows the items of ${told(share)}`);
    if (share.exposures < minimumJoin || share.exposures === 0) {
      const there = items.slice(0, 3).map(({ id }) => id);
      throw apart(
        `the catalogue knows the items of ${told(share)}`,
        'the log',
        unmet(isKnown),
        'the catalogue',
        there,
      );
    }
  }
  if (photos !== null || catalogue?.image !== undefined) {
    const meets = (item: number) => items[item]!.photo !== null;
    const share = shares(log, meets);
    understood.push(`Photos: there is a file for the items of ${told(share)}`);
    if (share.exposures < minimumJoin || share.exposures === 0) {
      const lacking = unmet(meets);
      const near = new Set(lacking.map((id) => photos?.nearest(id) ?? null).filter((name) => name !== null));
      const looked =
        catalogue?.image === undefined ? 'by their ids' : `by \`${catalogue.image}\` of the catalogue`;
      const there = images ?? 'the catalogue';
      throw apart(
        `there is a photo in ${there}, looked for ${looked}, for the items of ${told(share)}`,
        'items without one',
        lacking,
        'the folder',
        [...near],
        'Name the folder that holds these photos and the column that names them; or lower `minimumJoin` if it is right so.',
      );
    }
  }
  return understood;
}

function told({ exposures, clicks }: { readonly exposures: number; readonly clicks: number }): string {
  return `${percent(exposures)} of the exposures and ${percent(clicks)} of the clicks`;
}

function withoutImages(image: string, example: string): CourierError {
  return new CourierError(
    'CONFIG_INVALID',
    `\`${image}\` of the catalogue holds names of photos, such as ${oneLine(example, 60)}, and \`images\` does not say where they are.`,
    'Give the folder of the photos: --images FOLDER.',
  );
}

function apart(
  what: string,
  one: string,
  these: readonly string[],
  other: string,
  those: readonly string[],
  remedy = 'Name the columns that hold the same ids, or make them so by an expression; or lower `minimumJoin` if it is right so.',
): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `Ids do not meet: ${what}. For example, ${one}: ${these.join(', ')}; ${other}: ${those.join(', ') || 'nothing'}.`,
    remedy,
  );
}
