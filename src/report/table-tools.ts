/**
 * What tables of a page can do in a browser: be sorted, filtered and copied. The functions of this file run there, from a
 * script that holds their text, so they may use each other and their arguments, and nothing else.
 */
import { escapeMarkdown } from './markdown.ts';

/** The part of an element used here. */
interface PageElement {
  className: string;
  hidden: boolean;
  textContent: string | null;
  append(...nodes: readonly (PageElement | string)[]): void;
  before(...nodes: readonly (PageElement | string)[]): void;
  remove(): void;
  focus(): void;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  addEventListener(kind: string, listener: () => void): void;
  querySelectorAll(selector: string): Iterable<PageElement>;
}

interface PageField extends PageElement {
  value: string;
  select(): void;
}

interface PageDocument {
  createElement(name: 'input' | 'textarea'): PageField;
  createElement(name: string): PageElement;
  querySelectorAll(selector: string): Iterable<PageElement>;
  execCommand(command: 'copy'): boolean;
}

interface PageWindow {
  readonly document: PageDocument;
  /** Browsers may lack the clipboard where a page was opened as a file. */
  readonly navigator: { readonly clipboard?: { writeText(text: string): Promise<void> } };
}

/** A table as it is shown: its columns, and the texts of the rows that no filter hides. */
interface TableContent {
  readonly columns: readonly { readonly title: string; readonly numeric: boolean }[];
  readonly rows: readonly (readonly string[])[];
}

/** Gives tools to every table that asks for them. */
function addTableTools(page: PageWindow, escaped: (text: string) => string): void {
  for (const region of page.document.querySelectorAll('.scroll[data-tools]')) {
    for (const table of region.querySelectorAll('table')) {
      addSorting(page.document, table);
      region.before(toolbar(page, region.getAttribute('aria-label') ?? '', table, escaped));
    }
  }
}

/** Makes buttons of the column heads, which sort the rows of each group, the other way round, and as they were. */
function addSorting(document: PageDocument, table: PageElement): void {
  const heads = [...table.querySelectorAll('thead th')];
  const bodies = Array.from(table.querySelectorAll('tbody'), (body) => ({ body, rows: rowsOf(body) }));
  for (const [column, head] of heads.entries()) {
    const title = textOf(head);
    head.textContent = '';
    const sort = () => {
      const order = nextOrder(head);
      for (const other of heads) other.removeAttribute('aria-sort');
      if (order !== null) head.setAttribute('aria-sort', order);
      for (const { body, rows } of bodies) body.append(...sortedRows(rows, column, isNumeric(head), order));
    };
    head.append(buttonOf(document, title, sort));
  }
}

/** The largest number first, but words from A to Z; null is the order that the page came with. */
function nextOrder(head: PageElement): 'ascending' | 'descending' | null {
  const current = head.getAttribute('aria-sort');
  const [first, second] = isNumeric(head)
    ? (['descending', 'ascending'] as const)
    : (['ascending', 'descending'] as const);
  if (current === null) return first;
  return current === first ? second : null;
}

function sortedRows(
  rows: readonly PageElement[],
  column: number,
  numeric: boolean,
  order: 'ascending' | 'descending' | null,
): readonly PageElement[] {
  if (order === null) return rows;
  const sign = order === 'ascending' ? 1 : -1;
  const keyed = rows.map((row) => ({ row, text: cellsOf(row)[column] ?? '' }));
  return keyed.sort((a, b) => compareTexts(a.text, b.text, numeric, sign)).map(({ row }) => row);
}

/** Cells without a number come last in either order. */
function compareTexts(a: string, b: string, numeric: boolean, sign: 1 | -1): number {
  if (!numeric) return sign * a.localeCompare(b, 'en', { numeric: true });
  const [x, y] = [sortingNumber(a), sortingNumber(b)];
  if (x === null || y === null) return Number(x === null) - Number(y === null);
  return sign * (x - y);
}

/** `< 0.001` stands before `0.001`. */
function sortingNumber(text: string): number | null {
  const [first] = numbersIn(text);
  if (first === undefined) return null;
  return first.startsWith('<') ? 0 : Number(first);
}

/** The numbers of `0.8123 ± 0.0011`, `2.65 to 3.55`, `+3.05`, `1,200` or `< 0.001` as programs write them; none of words. */
function numbersIn(text: string): readonly string[] {
  const parts = text.split(/ ± | to /).map((part) => part.replace(/[+,]/g, '').replace('−', '-'));
  return parts.every((part) => /^(?:< )?-?\d+(?:\.\d+)?$/.test(part)) ? parts : [];
}

function isNumeric(head: PageElement): boolean {
  return /\bnumber\b/.test(head.className);
}

/** Text on one line. */
function textOf(element: PageElement): string {
  return (element.textContent ?? '').replace(/\s+/g, ' ').trim();
}

function rowsOf(body: PageElement): readonly PageElement[] {
  return [...body.querySelectorAll('tr:not(.group)')];
}

/** Texts by column; a cell that spans several is followed by empty ones. */
function cellsOf(row: PageElement): readonly string[] {
  return Array.from(row.querySelectorAll('th, td')).flatMap((cell) => {
    const others = Number(cell.getAttribute('colspan') ?? 1) - 1;
    return [textOf(cell), ...Array.from({ length: others }, () => '')];
  });
}

/** What a row says; where groups are named, its group comes first. */
function namedCells(table: PageElement, body: PageElement, row: PageElement): readonly string[] {
  if (table.getAttribute('data-groups') === null) return cellsOf(row);
  return [...Array.from(body.querySelectorAll('.group'), textOf), ...cellsOf(row)];
}

function toolbar(
  page: PageWindow,
  label: string,
  table: PageElement,
  escaped: (text: string) => string,
): PageElement {
  const { document } = page;
  const bar = document.createElement('div');
  bar.className = 'tools';
  bar.setAttribute('role', 'group');
  bar.setAttribute('aria-label', label);
  const status = document.createElement('span');
  status.setAttribute('role', 'status');
  const copying = (format: string, write: (content: TableContent) => string) => {
    const button = buttonOf(document, `Copy as ${format}`, async () => {
      const content = contentOf(table);
      const copied = await copyText(page, bar, write(content));
      const count = content.rows.length;
      status.textContent = copied
        ? `${count} ${count === 1 ? 'row' : 'rows'} copied`
        : 'Copy the selected text';
      if (copied) button.focus();
    });
    return button;
  };
  const markdown = copying('Markdown', (content) => markdownOf(content, escaped));
  bar.append(filterOf(document, table, status), status, markdown, copying('CSV', csvOf));
  return bar;
}

function buttonOf(document: PageDocument, text: string, click: () => void): PageElement {
  const button = document.createElement('button');
  button.setAttribute('type', 'button');
  button.textContent = text;
  button.addEventListener('click', click);
  return button;
}

/** A field whose words a row must have all of. */
function filterOf(document: PageDocument, table: PageElement, status: PageElement): PageElement {
  const label = document.createElement('label');
  const field = document.createElement('input');
  field.setAttribute('type', 'search');
  field.addEventListener('input', () => {
    status.textContent = filterRows(table, field.value);
  });
  label.append('Filter rows ', field);
  return label;
}

/** @returns how many rows are left, in words; nothing where all are */
function filterRows(table: PageElement, query: string): string {
  const words = query.toLowerCase().split(/\s+/);
  let [all, shown] = [0, 0];
  for (const body of table.querySelectorAll('tbody')) {
    const before = shown;
    for (const row of rowsOf(body)) {
      const text = namedCells(table, body, row).join(' ').toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      all += 1;
      if (!row.hidden) shown += 1;
    }
    body.hidden = shown === before;
  }
  return shown === all ? '' : `${shown} of ${all} rows`;
}

function contentOf(table: PageElement): TableContent {
  const groups = table.getAttribute('data-groups');
  const heads = Array.from(table.querySelectorAll('thead th'), (head) => ({
    title: textOf(head),
    numeric: isNumeric(head),
  }));
  const rows = Array.from(table.querySelectorAll('tbody')).flatMap((body) =>
    rowsOf(body).flatMap((row) => (row.hidden ? [] : [namedCells(table, body, row)])),
  );
  return { columns: groups === null ? heads : [{ title: groups, numeric: false }, ...heads], rows };
}

/** A table of GitHub Flavored Markdown. */
function markdownOf({ columns, rows }: TableContent, escaped: (text: string) => string): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const head = line(columns.map(({ title }) => escaped(title)));
  const rule = line(columns.map(({ numeric }) => (numeric ? '---:' : '---')));
  return head + rule + rows.map((cells) => line(cells.map(escaped))).join('');
}

/** Comma-separated values in which numbers are numbers: a spread and both ends of an interval have columns. */
function csvOf({ columns, rows }: TableContent): string {
  const written = columns.flatMap(({ title, numeric }, column) => {
    const texts = rows.map((cells) => cells[column] ?? '');
    return numeric ? csvNumbers(title, texts) : [[title, ...texts].map(csvText)];
  });
  return Array.from(
    { length: rows.length + 1 },
    (_, row) => `${written.map((column) => column[row] ?? '').join(',')}\n`,
  ).join('');
}

/** A column for each number of a cell; what is missing is empty. */
function csvNumbers(title: string, texts: readonly string[]): readonly (readonly string[])[] {
  const pair = texts.find((text) => numbersIn(text).length === 2);
  const ends = pair?.includes('±') ? [title, `${title} ±`] : [`${title} from`, `${title} to`];
  const titles = pair === undefined ? [title] : ends;
  return titles.map((each, place) => [csvText(each), ...texts.map((text) => numbersIn(text)[place] ?? '')]);
}

/** In quotes, and with an apostrophe before what a spreadsheet would take for a formula. */
function csvText(text: string): string {
  const harmless = /^[=+\-@＝＋－＠]/.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}

/** Through the clipboard, or where a page may not use it as a selection; whether either did. */
async function copyText(page: PageWindow, place: PageElement, text: string): Promise<boolean> {
  try {
    if (page.navigator.clipboard === undefined) return copySelection(page.document, place, text);
    await page.navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelection(page.document, place, text);
  }
}

/** Leaves the selected text where it could not be copied, for the reader to do it. */
function copySelection(document: PageDocument, place: PageElement, text: string): boolean {
  for (const earlier of place.querySelectorAll('textarea')) earlier.remove();
  const area = document.createElement('textarea');
  area.setAttribute('aria-label', 'Text to copy');
  area.value = text;
  place.append(area);
  area.select();
  const copied = document.execCommand('copy');
  if (copied) area.remove();
  return copied;
}

/** All functions that the first one needs. */
const functions: readonly ((...values: never[]) => unknown)[] = [
  addSorting,
  nextOrder,
  sortedRows,
  compareTexts,
  sortingNumber,
  numbersIn,
  isNumeric,
  textOf,
  rowsOf,
  cellsOf,
  namedCells,
  toolbar,
  buttonOf,
  filterOf,
  filterRows,
  contentOf,
  markdownOf,
  csvOf,
  csvNumbers,
  csvText,
  copyText,
  copySelection,
];

/** The script of every page. esbuild, which runs the source, calls its `__name` in functions that it has read. */
export const tableScript = `'use strict';
{
const __name = (value) => value;
${functions.map(String).join('\n')}
(${String(addTableTools)})(window, ${String(escapeMarkdown)});
}
`;
