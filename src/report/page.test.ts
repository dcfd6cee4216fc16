import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { sampleReport } from '../../test/support/report.ts';
import { reportPage } from './page.ts';

/** The part of a parsed page used here. */
interface PageElement {
  readonly tagName: string;
  readonly textContent: string;
  getAttribute(name: string): string | null;
  getAttributeNames(): string[];
}

function elements(page: string, selector = '*'): PageElement[] {
  return [...parseHTML(page).document.querySelectorAll(selector)];
}

/** Tags with their attribute names: all that a text must not be able to change. */
function structure(page: string): string[] {
  return elements(page).map((element) => [element.tagName, ...element.getAttributeNames()].join(' '));
}

describe('the report page', () => {
  it('has one heading for every section', () => {
    const headings = elements(reportPage(sampleReport()), 'h2').map(({ textContent }) => textContent);
    expect(headings).toEqual([
      'Does it pay to look at the photos?',
      'How training went',
      'What the embeddings look at',
      'What it cost',
      'The data: plain',
      'Run it again',
    ]);
  });

  it('leaves out the sections that have nothing to show, and their links', () => {
    const page = reportPage({ ...sampleReport(), curves: [], examples: [], attention: null, stages: [] });
    expect(elements(page, 'nav a').map((link) => link.getAttribute('href'))).toEqual([
      '#results',
      '#data',
      '#reproduce',
    ]);
    expect(elements(page, 'h2')).toHaveLength(3);
  });

  it('asks for nothing from anywhere and runs nothing', () => {
    const page = reportPage(sampleReport());
    expect(elements(page, 'script, link, iframe, object, embed, base, form')).toEqual([]);
    const addresses = elements(page).flatMap((element) =>
      ['src', 'href', 'srcset', 'xlink:href'].flatMap((name) => element.getAttribute(name) ?? []),
    );
    expect(addresses.filter((address) => !/^(#[a-z]+$|data:image\/)/.test(address))).toEqual([]);
    expect(page).not.toMatch(/url\(|@import/);
    const [policy] = elements(page, 'meta[http-equiv="Content-Security-Policy"]');
    expect(policy?.getAttribute('content')).toMatch(
      /^default-src 'none'; img-src data:; style-src 'unsafe-inline'(;|$)/,
    );
  });

  it.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror="alert(1)">',
    "' onmouseover='alert(1)",
    '</style></title></svg><script>alert(1)</script>',
    '<!-- ]]> --> &lt;script&gt; `',
    '\u0000<\u0000script>\u202e',
  ])('has the same elements and attributes whatever texts from outside say: %s', (hostile) => {
    const page = reportPage(sampleReport(hostile));
    expect(structure(page)).toEqual(structure(reportPage(sampleReport())));
    for (const text of ['<script', '<img src=x', '\u0000', '\u202e']) expect(page).not.toContain(text);
  });

  it('does not show a picture that is no photo, such as an SVG or an address', () => {
    const report = sampleReport();
    for (const dataUri of [
      'data:image/svg+xml;base64,PHN2Zz4=',
      'https://example.org/a.jpg',
      'data:text/html,x',
    ]) {
      const clicked = { item: 'a', title: 'a dress', dataUri };
      const page = reportPage({ ...report, examples: [{ clicked, history: [] }] });
      expect(elements(page, 'img')).toEqual([]);
      expect(elements(page, '.missing')[0]?.getAttribute('aria-label')).toBe('a dress, no photo');
    }
  });

  it('gives every photo an alternative text, every chart a name, every table column a scope', () => {
    const page = reportPage(sampleReport());
    for (const image of elements(page, 'img')) expect(image.getAttribute('alt')).toBe('plain');
    const charts = elements(page, 'figure div[role="img"]').map((chart) => chart.getAttribute('aria-label'));
    expect(charts).toEqual([
      'Lift of test AUC over the model without images, with 95 % intervals',
      'Training curve: plain',
    ]);
    for (const header of elements(page, 'th')) expect(header.getAttribute('scope')).toMatch(/^(col|row)$/);
  });

  it('draws one dot and one interval for every row with a lift', () => {
    const page = reportPage(sampleReport());
    expect(elements(page, '.lift circle')).toHaveLength(2);
    expect(elements(page, '.lift g[aria-label="text"] text').map(({ textContent }) => textContent)).toEqual([
      'COURIER · similarity scores',
      'plain · plain',
      '+3.10 (2.60 to 3.50)',
      '−1.00 (−2.00 to −0.50)',
    ]);
  });

  it('shows the history newest first with its weights, then the click', () => {
    const items = elements(reportPage(sampleReport()), '.strip .weight').map(
      ({ textContent }) => textContent,
    );
    expect(items).toEqual(['attention 75 %', 'attention 25 %', 'clicked']);
  });

  it('draws long curves with few points and is the same for the same report', () => {
    const page = reportPage(sampleReport());
    expect(page.length).toBeLessThan(60_000);
    expect(reportPage(sampleReport())).toBe(page);
  });
});
