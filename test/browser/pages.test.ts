import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { literal, withDuckDB } from '../../src/data/duckdb/duckdb.ts';
import { known } from '../../src/metrics/measured.ts';
import { reportPage } from '../../src/report/page.ts';
import type { Report, ReportRow } from '../../src/report/report.ts';
import { hasChromium, inChromium, startChromium } from '../support/chromium.ts';
import { type Pages, writePages } from '../support/pages.ts';
import { sampleReport } from '../support/report.ts';
import { temporaryFolder } from '../support/temporary.ts';

const names = [
  'report',
  'explanation',
  'evaluation',
  'data',
  'experiment',
] as const satisfies readonly (keyof Pages)[];

/** What a spreadsheet, a table of Markdown and a page each take for something else than text. */
const hostile = '=1-\\|`<i>",\n\'x';

/** The part of an element used here. */
interface PageElement {
  readonly textContent: string;
  readonly scrollWidth: number;
  readonly clientWidth: number;
  readonly clientHeight: number;
  readonly scrollLeft: number;
  readonly children: Iterable<PageElement>;
  getAttribute(name: string): string | null;
  checkVisibility(): boolean;
}

describe.skipIf(!hasChromium)(`pages ${inChromium}`, () => {
  let folder: string;
  let browser: Browser;
  let pages: Pages;
  let hostilePage: string;
  let report: Report;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    browser = await startChromium();
    pages = await writePages(folder);
    report = JSON.parse(await readFile(join(dirname(pages.report), 'report.json'), 'utf8'));
    hostilePage = join(folder, 'hostile.html');
    await writeFile(hostilePage, reportPage(sampleReport(hostile)));
  });
  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Opens a file, and fails where it asks for another one, or where anything is said on the console. */
  async function withPage(
    path: string,
    options: BrowserContextOptions,
    task: (page: Page) => Promise<void>,
  ): Promise<void> {
    const context = await browser.newContext(options);
    const complaints: string[] = [];
    context.on('console', (message) => complaints.push(message.text()));
    context.on('weberror', (error) => complaints.push(error.error().message));
    context.on('request', (request) => {
      if (!request.url().startsWith('data:image/')) complaints.push(request.url());
    });
    try {
      const page = await context.newPage();
      await page.goto(pathToFileURL(path).href);
      await task(page);
      expect(complaints).toEqual([pathToFileURL(path).href]);
    } finally {
      await context.close();
    }
  }

  const wide = { viewport: { width: 1100, height: 800 } };
  const narrow = { viewport: { width: 400, height: 800 } };
  /** What A4 leaves between margins of a centimetre. */
  const paper = { viewport: { width: 718, height: 1040 } };

  it.each(names)(
    '%s asks for no other file, breaks no policy and has nothing to say on the console',
    (name) =>
      withPage(pages[name], wide, async (page) => {
        await page.mouse.wheel(0, 20_000);
        expect(await page.title()).toMatch(/\w/);
      }),
  );

  it('the report has every section that a report can have', () =>
    withPage(pages.report, wide, async (page) => {
      const links = await page.locator('nav a').allTextContents();
      expect(links.join(' ')).toBe('Results Failures Where Inputs Training Examples Cost Data Reproduce');
    }));

  for (const colorScheme of ['light', 'dark'] as const) {
    it.each(names)(`%s has nothing that keeps people out, in ${colorScheme} colours`, (name) =>
      withPage(pages[name], { ...wide, colorScheme }, async (page) => {
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
        const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        const told = grave.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
        expect(told).toEqual([]);
      }),
    );
  }

  it.each(names)(
    '%s fits into 400 px; what is wider scrolls in a box that has a name and takes keys',
    (name) =>
      withPage(pages[name], narrow, async (page) => {
        expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(400);
        expect(await cutOffCells(page)).toEqual([]);
        expect(await page.locator('.scroll[role="region"] table').count()).toBe(
          await page.locator('table').count(),
        );
        for (const box of await page.locator('.scroll').all()) {
          expect(await box.getAttribute('aria-label')).toMatch(/\w/);
          // What is folded is not there to be scrolled.
          if (!(await box.isVisible()) || !(await box.evaluate(isTooNarrow))) continue;
          await box.focus();
          await page.keyboard.press('ArrowRight');
          await expect
            .poll(() => box.evaluate(({ scrollLeft }: PageElement) => scrollLeft))
            .toBeGreaterThan(0);
        }
      }),
  );

  it.each(names)('%s shows every table whole on 1,100 px', (name) =>
    withPage(pages[name], wide, async (page) => {
      expect(await cutOffCells(page)).toEqual([]);
      const boxes = page.locator('.scroll');
      expect(await boxes.evaluateAll(namesOfTooNarrow)).toEqual([]);
    }),
  );

  it.each(names)(
    '%s on paper has tables and charts whole, what is folded on the screen, and nothing to press',
    (name) =>
      withPage(pages[name], paper, async (page) => {
        await page.emulateMedia({ media: 'print' });
        expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(
          paper.viewport.width,
        );
        expect(await cutOffCells(page)).toEqual([]);
        expect(await page.locator('svg').evaluateAll(heightsOf)).toSatisfy(
          (heights: readonly number[]) => Math.max(...heights) < paper.viewport.height,
        );
        for (const folded of await page.locator('details pre').all())
          expect(await folded.isVisible()).toBe(true);
        for (const control of await page.locator('nav, .tools :is(input, button)').all()) {
          expect(await control.isVisible()).toBe(false);
        }
      }),
  );

  it('every number of the table is that of report.json, to the last digit shown', () =>
    withPage(pages.report, wide, async (page) => {
      const rows = await shownRows(page, '.results');
      expect(rows).toHaveLength(12);
      expect(rows.length).toBe(report.rows.length);
      for (const [place, row] of rows.entries()) {
        const figures = figuresOf(report.rows[place]!);
        for (const [column, text] of row.slice(3).entries()) expectShown(text, figures[column]!);
      }
    }));

  it('a click on a column head sorts the rows of each group, the other way round, and back', () =>
    withPage(pages.report, wide, async (page) => {
      const aucs = async () =>
        (await shownRows(page, '.results', '.warm')).map((row) => Number(row[3]!.slice(0, 6)));
      const head = page.locator('.results th', { hasText: /^AUC$/ });
      const asItCame = await aucs();
      const ascending = asItCame.toSorted((a, b) => a - b);
      expect(asItCame).not.toEqual(ascending);
      const orders: (string | null)[] = [];
      const press = async () => {
        await head.getByRole('button').click();
        orders.push(await head.getAttribute('aria-sort'));
        return aucs();
      };
      expect([await press(), await press(), await press()]).toEqual([
        ascending.toReversed(),
        ascending,
        asItCame,
      ]);
      expect(orders).toEqual(['descending', 'ascending', null]);
    }));

  it('the keyboard sorts by names too; rows without a number come last, and one head alone says that it sorts', () =>
    withPage(pages.report, wide, async (page) => {
      await page.locator('.results th', { hasText: 'Features' }).getByRole('button').press('Enter');
      const features = (await shownRows(page, '.results', '.scratch')).map(([first]) => first);
      expect(features[0]).toBe('no images');
      expect(features.at(-1)).toBe('vectors');
      const lift = page.locator('.results th', { hasText: 'Lift' }).getByRole('button');
      for (const _ of ['descending', 'ascending']) {
        await lift.press('Space');
        const lifts = (await shownRows(page, '.results', '.scratch')).map((row) => row[8]);
        expect(lifts.slice(-2)).toEqual(['–', '–']);
      }
      expect(await page.locator('.results [aria-sort]').allTextContents()).toEqual(['Lift']);
    }));

  it('a filter leaves the rows that have all of its words, says how many, and hides groups without any', () =>
    withPage(pages.report, wide, async (page) => {
      const tools = page.getByRole('group', { name: 'Table of results' });
      const field = tools.getByLabel('Filter rows');
      await field.fill('WARM hog');
      const rows = await shownRows(page, '.results');
      expect(rows.map(([features, source, start]) => [features, source, start])).toEqual([
        ['vectors', 'HOG', 'warm'],
        ['similarity scores + cluster ids', 'HOG', 'warm'],
      ]);
      expect(await tools.getByRole('status').textContent()).toBe('2 of 12 rows');
      expect(await page.locator('.results .group:visible').count()).toBe(1);
      await field.fill('');
      expect(await shownRows(page, '.results')).toHaveLength(12);
    }));

  /** Presses the button and takes what is then in the clipboard. */
  async function copied(page: Page, table: string, format: 'Markdown' | 'CSV'): Promise<string> {
    const tools = page.getByRole('group', { name: table });
    await tools.getByRole('button', { name: `Copy as ${format}` }).click();
    await tools.getByRole('status').filter({ hasText: 'copied' }).waitFor();
    return page.evaluate<string>('navigator.clipboard.readText()');
  }

  const clipboard = { ...wide, permissions: ['clipboard-read', 'clipboard-write'] };

  it('copied as Markdown, the table has the rows of the page, and the numbers of report.json', () =>
    withPage(pages.report, clipboard, async (page) => {
      const [, , ...rows] = markdownCells(await copied(page, 'Table of results', 'Markdown'));
      expect(rows).toEqual(await shownRows(page, '.results'));
      for (const [place, row] of rows.entries()) {
        const figures = figuresOf(report.rows[place]!);
        for (const [column, text] of row.slice(3).entries()) expectShown(text, figures[column]!);
      }
      await page.getByRole('group', { name: 'Table of results' }).getByLabel('Filter rows').fill('hog');
      const filtered = markdownCells(await copied(page, 'Table of results', 'Markdown'));
      expect(filtered.slice(2)).toEqual(await shownRows(page, '.results'));
      expect(filtered).toHaveLength(6);
    }));

  it('copied as CSV, the table is read by a database as the numbers of report.json', () =>
    withPage(pages.report, clipboard, async (page) => {
      const [titles, ...rows] = await csvCells(await copied(page, 'Table of results', 'CSV'));
      expect(titles?.slice(2, 7)).toEqual(['Start', 'AUC', 'AUC ±', 'GAUC', 'GAUC ±']);
      expect(rows).toHaveLength(report.rows.length);
      for (const [place, row] of rows.entries()) {
        const expected = figuresOf(report.rows[place]!).flatMap((figures, column) =>
          Array.from({ length: widths[column]! }, (_, part) => figures.slice(part, part + 1)),
        );
        expect(row).toHaveLength(3 + expected.length);
        for (const [column, text] of row.slice(3).entries()) expectShown(text, expected[column]!);
      }
    }));

  it('a copied table of parts says of each part what it is a part of', () =>
    withPage(pages.report, clipboard, async (page) => {
      const [head, , ...rows] = markdownCells(
        await copied(page, 'Lift by part of the test exposures', 'Markdown'),
      );
      expect(head?.slice(0, 3)).toEqual(['By', 'Part', 'Exposures']);
      expect(rows.map(([by, part]) => `${by}: ${part}`)).toEqual(
        expect.arrayContaining([
          'Item history: cold',
          'User history: returning',
          'Category collection: Meadow',
        ]),
      );
      const [, ...written] = await csvCells(await copied(page, 'Lift by part of the test exposures', 'CSV'));
      expect(written.map(([, , exposures]) => Number(exposures))).toEqual(
        rows.map(([, , exposures]) => Number(exposures?.replace(',', ''))),
      );
    }));

  it('names from outside stay text in Markdown, and in CSV, where they are no formulas', () =>
    withPage(hostilePage, clipboard, async (page) => {
      const name = hostile.replace('\n', ' ');
      const shown = await shownRows(page, '.results');
      expect(shown[6]?.slice(0, 2)).toEqual([name, name]);
      const markdown = await copied(page, 'Table of results', 'Markdown');
      expect(markdown).not.toMatch(/(^|[^\\])[`<]/);
      expect(markdownCells(markdown).slice(2)).toEqual(shown);
      const rows = await csvCells(await copied(page, 'Table of results', 'CSV'));
      expect(rows[7]?.slice(0, 3)).toEqual([`'${name}`, `'${name}`, 'warm']);
      expect(rows[7]?.slice(13, 16)).toEqual(['-1.00', '-1.70', '-0.30']);
    }));

  it('copies where the page has no clipboard', () =>
    withPage(pages.report, clipboard, async (page) => {
      const written = await copied(page, 'Table of results', 'CSV');
      await page.evaluate(`navigator.clipboard.writeText('')`);
      await page.evaluate(`
        window.clipboard = navigator.clipboard;
        Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true });
      `);
      const tools = page.getByRole('group', { name: 'Table of results' });
      await tools.getByRole('button', { name: 'Copy as CSV' }).click();
      expect(await page.evaluate<string>('window.clipboard.readText()')).toBe(written);
      expect(await page.locator('textarea').count()).toBe(0);
    }));

  it('shows the selected text where nothing can be copied', () =>
    withPage(pages.report, wide, async (page) => {
      await page.evaluate(`
        Object.defineProperty(navigator, 'clipboard', { value: undefined });
        document.execCommand = () => false;
      `);
      const tools = page.getByRole('group', { name: 'Table of results' });
      for (const format of ['CSV', 'Markdown'])
        await tools.getByRole('button', { name: `Copy as ${format}` }).click();
      expect(await page.evaluate<string>('getSelection().toString()')).toMatch(
        /^\| Features \| Embeddings \|/,
      );
      expect(await tools.getByRole('textbox', { name: 'Text to copy' }).count()).toBe(1);
      expect(await tools.getByRole('status').textContent()).toBe('Copy the selected text');
    }));

  it('without scripts the page has all its rows, and nothing that does nothing', () =>
    withPage(pages.report, { ...wide, javaScriptEnabled: false }, async (page) => {
      expect(await shownRows(page, '.results')).toHaveLength(12);
      expect(await page.locator('button, input').count()).toBe(0);
    }));

  it('a page written by the source as `npm run courier` runs it sorts as well', async () => {
    const path = join(folder, 'from-source.html');
    const program = `
      import { writeFileSync } from 'node:fs';
      import { reportPage } from './src/report/page.ts';
      import { sampleReport } from './test/support/report.ts';
      writeFileSync(${JSON.stringify(path)}, reportPage(sampleReport()));
    `;
    const words = ['--import', 'tsx', '--input-type=module', '--eval', program];
    await promisify(execFile)(process.execPath, words);
    await withPage(path, wide, async (page) => {
      await page.locator('.results th', { hasText: 'Lift' }).getByRole('button').click();
      const [first] = await shownRows(page, '.results');
      expect(first?.slice(0, 2)).toEqual(['similarity scores', 'COURIER']);
    });
  });
});

/** Runs in the page, so it uses nothing of this file. */
function isTooNarrow({ scrollWidth, clientWidth }: PageElement): boolean {
  return scrollWidth > clientWidth;
}

/** Runs in the page, so it uses nothing of this file. */
function namesOfTooNarrow(boxes: readonly PageElement[]): (string | null)[] {
  return boxes
    .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
    .map((box) => box.getAttribute('aria-label'));
}

/** Runs in the page, so it uses nothing of this file. */
function heightsOf(elements: readonly PageElement[]): number[] {
  return elements.map(({ clientHeight }) => clientHeight);
}

/** Texts of cells that are narrower than what is in them. */
function cutOffCells(page: Page): Promise<readonly string[]> {
  return page
    .locator('th, td')
    .evaluateAll((cells: readonly PageElement[]) =>
      cells
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
        .map(({ textContent }) => textContent),
    );
}

/** Texts of the rows that can be seen, by cell, groups left out. */
function shownRows(page: Page, table: string, bodies = 'tbody'): Promise<readonly (readonly string[])[]> {
  return page
    .locator(`${table} ${bodies} tr:not(.group)`)
    .evaluateAll((rows: readonly PageElement[]) =>
      rows
        .filter((row) => row.checkVisibility())
        .map((row) => Array.from(row.children, (cell) => cell.textContent.replace(/\s+/g, ' ').trim())),
    );
}

/** Numbers of the columns after the first three, in the units of the table; none where there is a gap. */
function figuresOf({
  auc,
  gauc,
  ndcg,
  logLoss,
  calibration,
  lifts,
}: ReportRow): readonly (readonly number[])[] {
  const summaries = [auc, gauc, ndcg, logLoss, calibration].map((summary) => {
    const { mean = null, std = null } = known(summary) ?? {};
    return [mean, std].filter((number) => number !== null);
  });
  if (lifts === null) return [...summaries, [], [], [], []];
  const { difference, ci95, p, pCorrected } = lifts.auc;
  const points = [[known(difference)], known(ci95) ?? []].map((numbers) =>
    numbers.flatMap((number) => (number === null ? [] : [100 * number])),
  );
  const probabilities = [p, pCorrected].map((probability) =>
    [known(probability)].filter((each) => each !== null),
  );
  return [...summaries, ...points, ...probabilities];
}

/** How many numbers a cell of each of these columns has. */
const widths = [2, 2, 2, 2, 2, 1, 2, 1, 1];

/** Fails unless the text shows these numbers, rounded to the digits that it shows. */
function expectShown(text: string, numbers: readonly number[]): void {
  const shown = text.match(/<? ?[−-]?\d+\.\d+/g) ?? [];
  expect(shown, text).toHaveLength(numbers.length);
  for (const [place, each] of shown.entries()) {
    const number = numbers[place]!;
    const value = Number(each.replace(/^< /, '').replace('−', '-'));
    if (each.startsWith('<')) expect(number).toBeLessThan(value);
    else expect(Math.abs(number - value)).toBeLessThanOrEqual(0.5000001 * 10 ** -each.split('.')[1]!.length);
  }
}

/** Cells of each line as GitHub Flavored Markdown parts and reads them. */
function markdownCells(markdown: string): readonly (readonly string[])[] {
  return markdown
    .trimEnd()
    .split('\n')
    .map((line) => {
      const parts = line.match(/(?:\\.|[^|\\])+/g) ?? [];
      return parts.map((part) => part.trim().replace(/\\(.)/g, '$1'));
    });
}

/** Cells of each line, the first included, as DuckDB reads them; empty where they are missing. */
async function csvCells(csv: string): Promise<readonly (readonly string[])[]> {
  const folder = await temporaryFolder();
  const path = join(folder, 'copied.csv');
  await writeFile(path, csv);
  return withDuckDB([folder], async (connection) => {
    const read = `SELECT * FROM read_csv(${literal(path)}, header = false, all_varchar = true)`;
    const rows = await (await connection.runAndReadAll(read)).getRowsJson();
    return rows.map((row) => row.map((cell) => (typeof cell === 'string' ? cell : '')));
  });
}
