import { describe, expect, it } from 'vitest';
import { defined, gap } from '../../test/support/measured.ts';
import { definedLift, reportRow, rowLift, sampleReport, undefinedLift } from '../../test/support/report.ts';
import type { Lift } from '../metrics/lift.ts';
import { context, coverageSentence, headline } from './headline.ts';
import type { Report, ReportRow, Start } from './report.ts';

const baseline = reportRow('none', null, 0.81, null);

function reportWith(...rows: ReportRow[]): Report {
  return { ...sampleReport(), rows: [baseline, ...rows] };
}

type PlainLift = { readonly auc: number } & Pick<Lift, 'ci95' | 'p'> & Partial<Lift>;

function courier({ auc, p, ...rest }: PlainLift, features = 'sim-score', start: Start = 'warm'): ReportRow {
  const figures = {
    difference: auc,
    p,
    pCorrected: p,
    detectable: 0.004,
    covers: 'users and seeds',
  } as const;
  return reportRow(features, 'courier', 0.81 + auc, definedLift({ ...figures, ...rest }), { start });
}

function hog(lift: PlainLift): ReportRow {
  return { ...courier(lift), source: 'hog' };
}

describe('headline', () => {
  it('claims a lift when the interval lies above zero', () => {
    expect(headline(reportWith(courier({ auc: 0.0308, ci95: [0.0261, 0.0353], p: 0.0012 })))).toBe(
      'COURIER embeddings lift test AUC by 3.1 points over the model without images (95 % interval 2.6 to 3.5, p = 0.001).',
    );
  });

  it('says so when the interval holds zero, however large the difference looks', () => {
    const sentence = headline(reportWith(courier({ auc: 0.02, ci95: [-0.01, 0.05], p: 0.21 })));
    expect(sentence).toBe(
      'COURIER embeddings make no measurable difference to test AUC: +2.0 points against the model without images (95 % interval −1.0 to 5.0, p = 0.21).',
    );
  });

  it('says so when images do harm', () => {
    const sentence = headline(reportWith(courier({ auc: -0.0058, ci95: [-0.0099, -0.0014], p: 0.012 })));
    expect(sentence).toMatch(/lower test AUC by 0\.6 points against/);
  });

  it('shows a limit near zero with enough decimals to see on which side it lies', () => {
    expect(headline(reportWith(courier({ auc: 0.005, ci95: [0.0004, 0.0096], p: 0.03 })))).toContain(
      '0.04 to 0.96',
    );
  });

  it('is about COURIER even when another source is better, and the context names that source', () => {
    const better = hog({ auc: 0.04, ci95: [0.03, 0.05], p: 0.002 });
    const report = reportWith(better, courier({ auc: 0.03, ci95: [0.02, 0.04], p: 0.002 }));
    expect(headline(report)).toMatch(/^COURIER embeddings lift test AUC by 3\.0/);
    expect(context(report).join(' ')).toContain('HOG as similarity scores, changes AUC by +4.00 points');
  });

  it('owns up to having chosen the best of several rows, and says what is corrected for that', () => {
    const rows = [
      courier({ auc: 0.01, ci95: [0.005, 0.015], p: 0.002 }, 'vector'),
      courier({ auc: 0.03, ci95: [0.02, 0.04], p: 0.002 }),
    ];
    expect(headline(reportWith(...rows))).toContain('3.0 points');
    expect(context(reportWith(...rows)).join(' ')).toContain(
      'best of 2 such rows; the p-value is corrected for all 2 lifts of the table, but the interval does not',
    );
    expect(context(reportWith(rows[0] ?? baseline)).join(' ')).not.toContain('best of');
  });

  it('counts the rows of all sources as chosen among where COURIER was not run', () => {
    const rows = [
      hog({ auc: 0.01, ci95: [0.005, 0.015], p: 0.002 }),
      { ...hog({ auc: 0.02, ci95: [0.01, 0.03], p: 0.002 }), source: 'random' },
    ];
    expect(headline(reportWith(...rows))).toMatch(/^Random encoder embeddings/);
    expect(context(reportWith(...rows)).join(' ')).toContain('best of 2 such rows');
  });

  it('gives the corrected p-value, and for how many comparisons', () => {
    const lift = { auc: 0.03, ci95: [0.02, 0.04], p: 0.002, pCorrected: 0.004 } as const;
    const rows = [courier(lift), hog({ auc: 0.01, ci95: [0.005, 0.015], p: 0.02 })];
    expect(headline(reportWith(...rows))).toContain('p = 0.004, corrected for 2 comparisons)');
  });

  it('claims nothing when only the interval excludes zero and not the corrected p-value', () => {
    const lift = { auc: 0.02, ci95: [0.001, 0.04], p: 0.04, pCorrected: 0.08 } as const;
    const rows = [courier(lift), hog({ auc: 0.01, ci95: [-0.005, 0.015], p: 0.2 })];
    expect(headline(reportWith(...rows))).toBe(
      'COURIER embeddings may change test AUC, but not by more than chance can among 2 comparisons: +2.0 points against the model without images (95 % interval 0.1 to 4.0, p = 0.080, corrected for 2 comparisons).',
    );
  });

  it('claims nothing from one seed, however clear, and says what is not in the interval', () => {
    const lift = { auc: 0.0308, ci95: [0.0261, 0.0353], p: 0.0004, covers: 'users' } as const;
    expect(headline(reportWith(courier(lift)))).toBe(
      'COURIER embeddings change test AUC by +3.1 points against the model without images (95 % interval 2.6 to 3.5, p < 0.001; one seed: the chance of training is not in it).',
    );
  });

  it('is put into proportion by the least lift that would have been seen', () => {
    const lift = { auc: 0.002, ci95: [-0.002, 0.006], p: 0.4, detectable: 0.0062 } as const;
    expect(context(reportWith(courier(lift)))).toContain(
      'With this many users and seeds, a lift of 0.62 points would be seen with 80 % probability.',
    );
    expect(context(reportWith(courier({ ...lift, covers: 'users' }))).join(' ')).toContain(
      'With this many users, a lift',
    );
  });

  it('speaks of the rows that began warm, however large the lift from scratch', () => {
    const warm = courier({ auc: 0.01, ci95: [0.005, 0.015], p: 0.002 });
    const scratch = courier({ auc: 0.05, ci95: [0.04, 0.06], p: 0.002 }, 'cluster-id', 'scratch');
    const report = reportWith(warm, scratch);
    expect(headline(report)).toContain('lift test AUC by 1.0 points');
    expect(context(report).join(' ')).not.toMatch(/best of|exaggerates|cluster ids/);
  });

  it('speaks of rows from scratch where there are no others, and says that they exaggerate', () => {
    const scratch = courier({ auc: 0.05, ci95: [0.04, 0.06], p: 0.002 }, 'sim-score', 'scratch');
    const rows = [{ ...baseline, start: 'scratch' as const }, scratch];
    const report = { ...sampleReport(), rows };
    expect(headline(report)).toContain('lift test AUC by 5.0 points');
    expect(context(report).join(' ')).toContain('exaggerates what images add');
  });

  it('says so where the lift cannot be computed, and claims nothing', () => {
    const lift = undefinedLift('AUC is undefined: every row is clicked.');
    const report = reportWith(reportRow('sim-score', 'courier', 0.8, lift));
    expect(headline(report)).toBe(
      'What COURIER embeddings add to test AUC cannot be told: AUC is undefined: every row is clicked.',
    );
    expect(context({ ...report, unlearned: null })).toHaveLength(1);
  });

  it('tells what is reached without learning, and that a table whose baseline is not better cannot be believed', () => {
    const row = courier({ auc: 0.01, ci95: [0.005, 0.015], p: 0.002 });
    const told = (auc: number) => {
      const unlearned = reportRow('without-learning', null, auc, null);
      const report = reportWith(row);
      const rows = [unlearned, ...report.rows];
      return context({ ...report, rows, unlearned: ['item_rate', 'user_rate'] }).join(' ');
    };
    const reached = defined(baseline.auc).mean;
    expect(told(reached - 0.1)).toContain('Without learning anything, item_rate + user_rate reaches');
    expect(told(reached - 0.1)).not.toContain('believed');
    expect(told(reached)).toContain('this table cannot be believed');
  });

  it('says that a row cannot differ of which no test exposure knows candidate and history', () => {
    const report = reportWith(courier({ auc: 0, ci95: [0, 0], p: 1 }));
    const [first] = report.embeddings;
    const told = (comparable: number, same = false) =>
      context({
        ...report,
        embeddings: [{ ...first!, comparable: { kind: 'value', value: comparable }, same }],
      }).join(' ');
    expect(told(0)).toContain(
      'the embeddings of COURIER know both candidate and history: such a row cannot differ',
    );
    expect(told(0.01)).not.toContain('cannot differ');
    expect(told(1, true)).toContain('All items have the same embedding of COURIER: such a row cannot differ');
  });

  it('says what share of items and of the test period embeddings know that do not know all', () => {
    const report = reportWith(courier({ auc: 0, ci95: [0, 0], p: 1 }));
    const [first] = report.embeddings;
    const value = (share: number) => ({ kind: 'value', value: share }) as const;
    const told = (items: number) =>
      coverageSentence({
        ...report,
        embeddings: [
          { ...first!, items: value(items), candidates: value(1), history: gap('There are none.') },
        ],
      });
    expect(told(0.5)).toBe(
      'COURIER has embeddings of 50 % of the items, 100 % of the candidates and – of the history places of the test period.',
    );
    expect(told(1)).toBeNull();
  });

  it('says of which days encoders have seen clicks, as far as that is known', () => {
    const of = (...seen: Report['embeddings'][number]['seen'][]) => {
      const report = reportWith(courier({ auc: 0.03, ci95: [0.02, 0.04], p: 0.001 }));
      const [first] = report.embeddings;
      const embeddings = seen.map((each, place) => ({ ...first!, source: `source ${place}`, seen: each }));
      return context({ ...report, embeddings }).join(' ');
    };
    expect(of('older', 'none')).toContain('; encoders learned from the older days, too.');
    expect(of('none')).not.toMatch(/encoder/);
    expect(of('older', 'newer')).toContain('The encoder of source 1 has seen the clicks of those days, too');
    expect(of('older', 'newer')).not.toContain('learned from the older days, too');
    expect(of('unknown')).toContain('Of which days source 0 has seen clicks is not known.');
  });

  it('begins with a warning where an encoder has seen clicks of the test period', () => {
    const report = reportWith(courier({ auc: 0.04, ci95: [0.03, 0.05], p: 0.002 }));
    const [first] = report.embeddings;
    const of = (leaks: boolean) => headline({ ...report, embeddings: [{ ...first!, leaks }] });
    expect(of(true)).toBe(
      `Not to be believed: the encoder of COURIER has learned from clicks of the test period. ${of(false)}`,
    );
  });

  it('gives a lift without an interval, and says that it cannot be told from chance', () => {
    const none = gap('The confidence interval is undefined: the test rows have 1 user.');
    const lift = { ...rowLift(0.031, 0, 1), ci95: none, p: none, pCorrected: none };
    expect(headline(reportWith(reportRow('sim-score', 'courier', 0.84, lift)))).toBe(
      'What COURIER embeddings add to test AUC is +3.10 points, which cannot be told from chance: The confidence interval is undefined: the test rows have 1 user.',
    );
  });

  it('does not speak of another source where the lift of COURIER cannot be computed', () => {
    const lift = undefinedLift('AUC is undefined: every row is clicked.');
    const other = hog({ auc: 0.04, ci95: [0.03, 0.05], p: 0.002 });
    expect(headline(reportWith(other, reportRow('sim-score', 'courier', 0.8, lift)))).toMatch(
      /^What COURIER embeddings add to test AUC cannot be told/,
    );
  });

  it('says why the AUC of a model without images is missing', () => {
    const alone = { ...baseline, auc: gap('AUC is undefined: no row is clicked.') };
    expect(headline({ ...sampleReport(), rows: [alone] })).toBe(
      'No embeddings were compared with the model without images, and its test AUC cannot be told: AUC is undefined: no row is clicked.',
    );
  });

  it('makes no comparison where there is none', () => {
    expect(headline(reportWith())).toMatch(/without images reaches a test AUC of 0\.8100; no embeddings/);
    expect(headline({ ...sampleReport(), rows: [] })).toBe('No model was evaluated.');
  });
});
