import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gap, value } from '../../test/support/measured.ts';
import { reportRow, rowLift, sampleReport } from '../../test/support/report.ts';
import { columns } from './columns.ts';
import { markdownTable, reportMarkdown } from './markdown.ts';

/** Cells of a line as GitHub Flavored Markdown parts them: at pipes without a backslash before them. */
function cells(line: string): string[] {
  const parts = line.match(/(?:\\.|[^|\\])+/g) ?? [];
  return parts.map((part) => part.trim());
}

describe('markdownTable', () => {
  it('shows all columns, names left and numbers right', () => {
    const row = reportRow('sim-score+cluster-id', 'courier', 0.841, {
      ...rowLift(0.031, 0.0045, 0.002),
      pCorrected: value(0.004),
    });
    const [caption, , head, rule, line] = markdownTable([row]).split('\n');
    expect(caption).toBe(
      '**Warm start**: the result; a ranker trained without images went on with and without them.',
    );
    expect(cells(head ?? '').map((title) => title.replaceAll('\\', ''))).toEqual(
      columns.map(({ title }) => title),
    );
    expect(rule).toBe(`| ${[...Array(3).fill('---'), ...Array(9).fill('---:')].join(' | ')} |`);
    expect(line).toBe(
      '| similarity scores + cluster ids | COURIER | warm | 0.8410 ± 0.0010 | 0.8210 ± 0.0010 | 0.5410 ± 0.0010 | 0.4795 ± 0.0010 | 1.0120 ± 0.0010 | +3.10 | 2.65 to 3.55 | 0.002 | 0.004 |',
    );
  });

  it('shows the lifts of the other metrics in a table below, of the rows that have any', () => {
    const rows = [
      reportRow('none', null, 0.8, null),
      reportRow('vector', 'hog', 0.81, rowLift(0.01, 0.004, 0.02)),
    ];
    const paragraphs = markdownTable(rows).split('\n\n');
    expect(paragraphs).toHaveLength(5);
    expect(paragraphs[4]?.split('\n').slice(2)).toEqual([
      '| vectors | HOG | warm | +1.00 | 0.60 to 1.40 | 0.020 | +1.20 | 0.70 to 1.70 | 0.003 | −0.20 | −0.30 to −0.10 | 0.004 |',
    ]);
  });

  it('says what the interval of one seed leaves out', () => {
    const alone = { ...rowLift(0.01, 0.004, 0.02), covers: 'users' } as const;
    expect(markdownTable([reportRow('vector', 'hog', 0.81, alone)])).toContain(
      'Where there is one seed: the chance of training is not in it.',
    );
  });

  it('puts rows from scratch into a table below, under a line that warns of them', () => {
    const rows = [
      reportRow('none', null, 0.8, null, { start: 'scratch' }),
      reportRow('none', null, 0.81, null),
    ];
    const paragraphs = markdownTable(rows).split('\n\n');
    expect(paragraphs).toHaveLength(5);
    expect(paragraphs[1]).toContain('0.8100');
    expect(paragraphs[2]).toMatch(/^\*\*From scratch\*\*: .*exaggerate\.$/);
    expect(paragraphs[3]).toContain('0.8000');
  });

  it('has the same cells whatever a name says', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('|', '\\', '\n', '\r', '`', '<b>', '](http://a.b)', '\u2028', 'a'))
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const lines = markdownTable([reportRow(`x${text}`, `x${text}`, 0.8, null)]).split('\n');
        expect(lines).toHaveLength(7);
        expect(cells(lines[4] ?? '')).toHaveLength(columns.length);
      }),
    );
  });

  it('lets no name become a link, a picture, HTML or emphasis', () => {
    const table = markdownTable([reportRow('![a](b)<b>&lt;*_~~`', null, 0.8, null)]);
    expect(table).toContain('\\!\\[a\\](b)\\<b\\>\\&lt;\\*\\_\\~\\~\\`');
  });

  it('shows a missing figure as a gap, and lists each reason once below', () => {
    const missing = {
      gauc: gap('GAUC is undefined: none of 6 groups holds both.'),
      ndcg: gap('NDCG@5 is undefined: none of 9 page views has a click.'),
    };
    const rows = [0.8, 0.81].map((auc) => ({ ...reportRow('none', null, auc, null), ...missing }));
    const paragraphs = markdownTable(rows).split('\n\n');
    expect(cells(paragraphs[1]?.split('\n').at(-1) ?? '').slice(3, 7)).toEqual([
      '0.8100 ± 0.0010',
      '–',
      '–',
      '0.4950 ± 0.0010',
    ]);
    expect(paragraphs.slice(3)).toEqual([
      'Why figures are missing:',
      '- GAUC is undefined\\: none of 6 groups holds both.\n- NDCG\\@5 is undefined\\: none of 9 page views has a click.',
    ]);
  });

  it('is nothing without rows', () => {
    expect(markdownTable([])).toBe('');
  });
});

describe('reportMarkdown', () => {
  it('says the headline before the table', () => {
    const paragraphs = reportMarkdown(sampleReport('a|b')).split('\n\n');
    expect(paragraphs[0]).toBe('# a\\|b');
    expect(paragraphs[1]).toMatch(/^\*\*COURIER embeddings lift test AUC by 3\.1 points.*\*\*$/);
    expect(paragraphs[2]).toContain('best of 3 such rows');
    expect(paragraphs[3]).toMatch(/^\*\*Warm start\*\*/);
  });
});
