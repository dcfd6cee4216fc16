/** The catalogue of the table adapter: metadata and photo of every item of the log. */
import { basename } from 'node:path';
import { BadRows, type Findings } from '../findings.ts';
import { Indexer } from '../indexer.ts';
import { ImageFolder } from './image-folder.ts';
import type { SourceContext, SourceItem } from './source.ts';
import type { TableOptions } from './table-options.ts';
import { readTextTable } from './text-table.ts';

export interface TableCatalogue {
  /** Items of the catalogue; those that only the log knows are added to it by reading the log. */
  readonly items: Indexer;
  /** Describes every item of the indexer. */
  describe(findings: Findings): SourceItem[];
}

/** @throws CourierError of readTextTable, TOO_MANY_BAD_ROWS, or FILE_NOT_FOUND for the image folder */
export async function openCatalogue(
  options: TableOptions,
  context: SourceContext,
  findings: Findings,
): Promise<TableCatalogue> {
  const folder = options.images === undefined ? null : await ImageFolder.open(options.images);
  const items = new Indexer();
  const known = await readItems(options, folder, items, context, findings);
  const describe = (found: Findings): SourceItem[] =>
    items.ids.map((id, index) => known[index] ?? unknownItem(id, options, folder, found));
  return { items, describe };
}

async function readItems(
  { catalogue }: TableOptions,
  folder: ImageFolder | null,
  items: Indexer,
  context: SourceContext,
  findings: Findings,
): Promise<SourceItem[]> {
  if (catalogue === undefined) return [];
  const { path, item, image, title, categories } = catalogue;
  const badRows = new BadRows(basename(path), findings);
  const optional = [image, title].filter((name) => name !== undefined);
  const table = await readTextTable(
    path,
    'Catalogue',
    [item, ...optional, ...categories],
    badRows,
    context.signal,
  );
  const known: SourceItem[] = [];
  for (const [index, row] of table.row.entries()) {
    const cell = (name: string | undefined): string | null =>
      name === undefined ? null : (table.columns.get(name)?.[index]?.trim() ?? null);
    const id = cell(item) ?? '';
    if (id === '') {
      badRows.skip(row, `empty ${item}`, id);
    } else if (items.has(id)) {
      findings.add('Catalogue rows of an item already seen, dropped', `row ${row}: ${id}`);
    } else {
      items.indexOf(id);
      const imagePath =
        image === undefined ? (folder?.ofItem(id) ?? null) : imageOf(id, cell(image), folder, findings);
      known.push({
        id,
        imagePath,
        title: cell(title) || null,
        categories: categories.map((name) => cell(name)),
      });
    }
  }
  badRows.check(table.total, context.maxBadRows);
  return known;
}

/** The photo that the catalogue names, unless its path leads out of the image folder. */
function imageOf(
  id: string,
  path: string | null,
  folder: ImageFolder | null,
  findings: Findings,
): string | null {
  if (path === null || path === '' || folder === null) return null;
  const below = folder.below(path);
  if (below === undefined)
    findings.add('Image paths that lead out of the image folder, ignored', `${id}: ${path}`);
  return below ?? null;
}

function unknownItem(
  id: string,
  { catalogue }: TableOptions,
  folder: ImageFolder | null,
  findings: Findings,
): SourceItem {
  if (catalogue !== undefined) findings.add('Items of the log that are not in the catalogue', id);
  const categories = catalogue?.categories.map(() => null) ?? [];
  return { id, imagePath: folder?.ofItem(id) ?? null, title: null, categories };
}
