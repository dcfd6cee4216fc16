import { createHash } from 'node:crypto';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { gap, value } from '../../test/support/measured.ts';
import { sampleReport, undefinedLift } from '../../test/support/report.ts';
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
      'Where the lift comes from',
      'What the ranker rests on',
      'How training went',
      'What settings were found',
      'What the embeddings look at',
      'What it cost',
      'The data: plain',
      'Run it again',
    ]);
  });

  it('leaves out the sections that have nothing to show, and their links', () => {
    const report = sampleReport();
    const rows = report.rows.map((row) => ({ ...row, slices: [] }));
    const nothing = {
      diagnosis: null,
      curves: [],
      searches: [],
      examples: [],
      attention: null,
      stages: [],
    };
    const page = reportPage({ ...report, rows, ...nothing });
    expect(elements(page, 'nav a').map((link) => link.getAttribute('href'))).toEqual([
      '#results',
      '#data',
      '#reproduce',
    ]);
    expect(elements(page, 'h2')).toHaveLength(3);
  });

  it('says why lifts of one seed are grey, in words below the pictures, and of several seeds nothing', () => {
    const said = /Grey whatever these say where there is one seed/;
    const report = sampleReport();
    expect(reportPage(report)).not.toMatch(said);
    const rows = report.rows.map((row) => {
      if (row.lifts === null) return row;
      return { ...row, lifts: { ...row.lifts, auc: { ...row.lifts.auc, covers: 'users' as const } } };
    });
    const notes = elements(reportPage({ ...report, rows }), 'figcaption, .note');
    expect(notes.filter(({ textContent }) => said.test(textContent))).toHaveLength(2);
  });

  it('labels the only step of a curve as the number that it is', () => {
    const curve = {
      title: 'Ranker',
      yLabel: 'AUC',
      xLabel: 'step',
      series: [{ name: 'none', points: [[59, 0.6]] }],
    } as const;
    const page = reportPage({ ...sampleReport(), curves: [curve] });
    const texts = elements(page, '#training text').map(({ textContent }) => textContent);
    expect(texts).toContain('59');
    expect(texts.filter((text) => text.includes('.000'))).toEqual([]);
  });

  it('asks for nothing from anywhere, and runs nothing but the script that its policy knows', () => {
    const page = reportPage(sampleReport());
    expect(elements(page, 'link, iframe, object, embed, base, form')).toEqual([]);
    const [script, ...others] = elements(page, 'script');
    expect(others).toEqual([]);
    expect(script?.getAttributeNames()).toEqual([]);
    const addresses = elements(page).flatMap((element) =>
      ['src', 'href', 'srcset', 'xlink:href'].flatMap((name) => element.getAttribute(name) ?? []),
    );
    expect(addresses.filter((address) => !/^(#[a-z]+$|data:image\/)/.test(address))).toEqual([]);
    expect(page).not.toMatch(/url\(|@import/);
    const [policy] = elements(page, 'meta[http-equiv="Content-Security-Policy"]');
    const hash = createHash('sha256')
      .update(script?.textContent ?? '')
      .digest('base64');
    expect(policy?.getAttribute('content')?.split('; ')).toEqual([
      "default-src 'none'",
      'img-src data:',
      "style-src 'unsafe-inline'",
      `script-src 'sha256-${hash}'`,
      "base-uri 'none'",
      "form-action 'none'",
    ]);
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
    for (const text of ['alert(1)</script', '<img src=x', '\u0000', '\u202e'])
      expect(page).not.toContain(text);
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
    expect(charts.map((label) => label?.split(': ')[0])).toEqual([
      'Lift of test AUC over the model without images, warm start, with 95 % intervals',
      'Lift of test AUC over the model without images, from scratch, with 95 % intervals',
      'Lift of test AUC by item history, with 95 % intervals',
      'Lift of test AUC by user history, with 95 % intervals',
      'Lift of test AUC by popularity decile, with 95 % intervals',
      'Lift of test AUC by category plain, with 95 % intervals',
      'Loss of validation AUC in points without an input',
      'Opening of the gate and exposures by category',
      'Reliability of predicted click rates',
      'Validation AUC without and with images, with all inputs and without what categories tell',
      'Training curve',
    ]);
    for (const header of elements(page, 'th'))
      expect(header.getAttribute('scope')).toMatch(/^(col|row|rowgroup)$/);
  });

  it('draws one dot and one interval for every row with a lift, in a panel for each start', () => {
    const page = reportPage(sampleReport());
    expect(elements(page, '.lift .warm circle')).toHaveLength(5);
    expect(elements(page, '.lift .scratch circle')).toHaveLength(5);
    const texts = elements(page, '.lift .warm g[aria-label="text"] text').map(
      ({ textContent }) => textContent,
    );
    expect(texts).toEqual([
      'COURIER · vectors',
      'COURIER · similarity scores',
      'COURIER · similarity scores + cluster ids',
      'HOG · similarity scores',
      'plain · plain',
      '+0.30 (−0.15 to 0.75)',
      '+3.10 (2.65 to 3.55)',
      '+2.90 (2.40 to 3.40)',
      '+1.20 (0.60 to 1.80)',
      '−1.00 (−1.70 to −0.30)',
    ]);
  });

  it('draws both panels on one scale, so that what exaggerates can be seen to', () => {
    const page = reportPage(sampleReport());
    const ticks = (start: string) =>
      elements(page, `.lift .${start} g[aria-label="x-axis tick label"] text`).map(
        (tick) => tick.textContent,
      );
    expect(ticks('warm').length).toBeGreaterThan(2);
    expect(ticks('scratch')).toEqual(ticks('warm'));
  });

  it('puts the rows from scratch below those that began warm, under a heading that warns of them', () => {
    const report = sampleReport();
    const page = reportPage({ ...report, rows: report.rows.toReversed() });
    const headings = elements(page, '.results th[scope="rowgroup"]').map(({ textContent }) => textContent);
    expect(headings).toHaveLength(2);
    expect(headings[0]).toMatch(/^Warm start/);
    expect(headings[1]).toMatch(/^From scratch.*exaggerate/s);
    expect(elements(page, '.results tbody.scratch tr')).toHaveLength(8);
  });

  it('shows the lifts of the other metrics in a table of their own', () => {
    const cells = elements(reportPage(sampleReport()), '.lifts tbody tr:nth-of-type(1) :is(th, td)');
    expect(cells.map(({ textContent }) => textContent.trim())).toEqual([
      ...['vectors', 'COURIER', 'warm', '+0.30', '−0.15 to 0.75', '0.19'],
      ...['+1.20', '0.70 to 1.70', '0.003', '−0.20', '−0.30 to −0.10', '0.004'],
    ]);
  });

  it('marks a lift as better only where its corrected p-value says so too', () => {
    const report = sampleReport();
    const better = (pCorrected: number) => {
      const rows = report.rows.map((row) => ({
        ...row,
        lifts: row.lifts && { ...row.lifts, auc: { ...row.lifts.auc, pCorrected: value(pCorrected) } },
      }));
      return elements(reportPage({ ...report, rows }), '.results .warm tr.better').length;
    };
    expect([better(0.049), better(0.05)]).toEqual([3, 0]);
  });

  it('shows a missing figure as a gap that says why, in its cell and below the table', () => {
    const report = sampleReport();
    const why = 'GAUC is undefined: none of 6 <groups> holds both.';
    const rows = report.rows.map((row) => ({ ...row, gauc: gap(why) }));
    const page = reportPage({ ...report, rows });
    const gaps = elements(page, '.results td abbr');
    expect(gaps).toHaveLength(rows.length);
    expect([gaps[0]?.textContent, gaps[0]?.getAttribute('title')]).toEqual(['–', why]);
    expect(elements(page, '#results ul li').map(({ textContent }) => textContent)).toEqual([why]);
    expect(elements(reportPage(report), '#results :is(abbr, ul)')).toEqual([]);
  });

  it('stands without any lift, and says in its headline that there is none', () => {
    const report = sampleReport();
    const why = 'AUC is undefined: every row is clicked.';
    const auc = undefinedLift(why);
    const rows = report.rows.map((row) => ({
      ...row,
      auc: gap(why),
      lifts: row.lifts && { ...row.lifts, auc },
    }));
    const page = reportPage({ ...report, rows });
    expect(elements(page, 'h1')[0]?.textContent).toContain('cannot be told: AUC is undefined');
    expect(elements(page, '.facts dt').map(({ textContent }) => textContent)).toEqual([
      'test exposures',
      'test users',
    ]);
    expect(elements(page, 'figure.lift')).toEqual([]);
    expect(elements(page, '.results tbody tr')).toHaveLength(rows.length + 2);
  });

  it('shows the history newest first with its weights, then the click', () => {
    const items = elements(reportPage(sampleReport()), '.strip .weight').map(
      ({ textContent }) => textContent,
    );
    expect(items).toEqual(['attention 75 %', 'attention 25 %', 'clicked']);
  });

  it('draws long curves with few points and is the same for the same report', () => {
    const page = reportPage(sampleReport());
    expect(page.length).toBeLessThan(120_000);
    expect(reportPage(sampleReport())).toBe(page);
  });
});
