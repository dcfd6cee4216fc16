/** A contact sheet: what the largest clusters look like. */
import sharp, { type OverlayOptions } from 'sharp';
import type { SphericalClusters } from '../../clustering/spherical-k-means.ts';
import { type Dataset, NONE } from '../../data/dataset.ts';
import { Indexer } from '../../data/indexer.ts';
import { CourierError } from '../../errors.ts';
import { writeFileWhole } from '../../storage/files.ts';
import { decimals, integer, oneLine } from '../../text.ts';

interface SheetOptions {
  /** Rows at most: the largest clusters. */
  readonly sheetClusters: number;
  /** Photos in a row at most: the nearest to the centre. */
  readonly sheetPhotos: number;
}

interface SheetRow {
  readonly cluster: number;
  readonly size: number;
  readonly meanCosine: number;
  /** Rows of the image cache, the nearest to the centre first. */
  readonly photos: readonly number[];
}

/** In pixels: photos, what lies between them, the place for a row's label, the margin, the title above. */
const [tile, gap, label, margin, title] = [96, 6, 148, 24, 64];

/**
 * Draws the largest clusters, a row each, as PNG: its size, then the photos nearest to its centre, each photo once.
 * @param ids whose cluster each code is. (n)
 * @throws CourierError VALUE_INVALID when no item has a photo in the dataset; OUTPUT_NOT_WRITABLE
 */
export async function writeContactSheet(
  path: string,
  dataset: Dataset,
  ids: readonly string[],
  clusters: SphericalClusters,
  options: SheetOptions,
): Promise<void> {
  const rows = sheetRows(photosOf(dataset, ids), clusters, options);
  const width = 2 * margin + label + options.sheetPhotos * (tile + gap) - gap;
  const height = title + rows.length * (tile + gap) - gap + margin;
  const tiles = await Promise.all(rows.flatMap((row, index) => drawTiles(dataset, row, index)));
  const text = Buffer.from(describe(rows, clusters, width, height));
  const blank = sharp({ create: { width, height, channels: 3, background: '#ffffff' } });
  const png = await blank
    .composite([...tiles, { input: text, left: 0, top: 0 }])
    .png()
    .toBuffer();
  await writeFileWhole(path, png);
}

/** The photo of each item, NONE for none. (n) */
function photosOf({ catalogue, name }: Dataset, ids: readonly string[]): Int32Array {
  const items = new Indexer(catalogue.ids);
  const photos = Int32Array.from(ids, (id) => catalogue.photo[items.find(id) ?? -1] ?? NONE);
  if (photos.some((photo) => photo !== NONE)) return photos;
  throw new CourierError(
    'VALUE_INVALID',
    `None of the embedded items has a photo in the dataset ${oneLine(name)}.`,
    'Name the dataset whose items were embedded, or leave the dataset out: then no contact sheets are drawn.',
  );
}

function sheetRows(
  photos: Int32Array,
  { sizes, codes, cosines }: SphericalClusters,
  { sheetClusters, sheetPhotos }: SheetOptions,
): readonly SheetRow[] {
  const bySize = [...sizes.keys()].sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  const members = new Map(bySize.slice(0, sheetClusters).map((cluster) => [cluster, [] as number[]]));
  for (const [item, code] of codes.entries()) members.get(code)?.push(item);
  return [...members].map(([cluster, items]) => {
    const sum = items.reduce((total, item) => total + cosines[item]!, 0);
    const nearest = items.sort((a, b) => cosines[b]! - cosines[a]! || a - b);
    const shown = new Set(nearest.map((item) => photos[item]!).filter((photo) => photo !== NONE));
    return {
      cluster,
      size: items.length,
      meanCosine: sum / items.length,
      photos: [...shown].slice(0, sheetPhotos),
    };
  });
}

function drawTiles({ images }: Dataset, { photos }: SheetRow, row: number): Promise<OverlayOptions>[] {
  const { side } = images;
  return photos.map(async (photo, column) => ({
    input: await sharp(images.read([photo]), { raw: { width: side, height: side, channels: 3 } })
      .resize(tile, tile, { kernel: 'lanczos3' })
      .png()
      .toBuffer(),
    left: margin + label + column * (tile + gap),
    top: title + row * (tile + gap),
  }));
}

/** Title, labels, and a frame around each photo, as SVG. */
function describe(
  rows: readonly SheetRow[],
  { sizes }: SphericalClusters,
  width: number,
  height: number,
): string {
  const items = sizes.reduce((sum, size) => sum + size, 0);
  const which = rows.length < sizes.length ? `the ${rows.length} largest of ` : '';
  const heading = `${which}${integer(sizes.length)} clusters of ${integer(items)} items`;
  const labels = rows.map(({ cluster, size, meanCosine }, row) => {
    const middle = title + row * (tile + gap) + tile / 2;
    const lines = [
      text(`${integer(size)} ${size === 1 ? 'item' : 'items'}`, middle - 8, 'size'),
      text(`cluster ${cluster}`, middle + 12, 'small'),
      text(`mean cosine ${decimals(meanCosine, 2)}`, middle + 29, 'small'),
    ];
    return lines.join('');
  });
  const frames = rows.flatMap(({ photos }, row) =>
    photos.map((_, column) => {
      const [x, y] = [margin + label + column * (tile + gap), title + row * (tile + gap)];
      return `<rect x="${x + 0.5}" y="${y + 0.5}" width="${tile - 1}" height="${tile - 1}"/>`;
    }),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <style>text { font-family: 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif; fill: #1c1f24 }
    .title { font-size: 18px; font-weight: 600 } .size { font-size: 16px; font-weight: 600 }
    .small { font-size: 12px; fill: #6a7079 } rect { fill: none; stroke: #000; stroke-opacity: .12 }</style>
    ${text(heading.charAt(0).toUpperCase() + heading.slice(1), 38, 'title')}
    ${labels.join('')}${frames.join('')}</svg>`;
}

function text(content: string, y: number, style: string): string {
  return `<text x="${margin}" y="${y}" class="${style}">${escapeXml(content)}</text>`;
}

function escapeXml(content: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return content.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
