import { describe, expect, it } from 'vitest';
import { reportRow, sampleReport } from '../../test/support/report.ts';
import { context, headline } from './headline.ts';
import type { Lift, Report, ReportRow } from './report.ts';

const baseline = reportRow('none', null, 0.81, null);

function reportWith(...rows: ReportRow[]): Report {
  return { ...sampleReport(), rows: [baseline, ...rows] };
}

function courier(lift: Lift, features = 'sim-score'): ReportRow {
  return reportRow(features, 'courier', 0.81 + lift.auc, lift);
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
    const hog = reportRow('sim-score', 'hog', 0.85, { auc: 0.04, ci95: [0.03, 0.05], p: 0.002 });
    const report = reportWith(hog, courier({ auc: 0.03, ci95: [0.02, 0.04], p: 0.002 }));
    expect(headline(report)).toMatch(/^COURIER embeddings lift test AUC by 3\.0/);
    expect(context(report).join(' ')).toContain('HOG as similarity scores, changes AUC by +4.00 points');
  });

  it('owns up to having chosen the best of several rows', () => {
    const rows = [
      courier({ auc: 0.01, ci95: [0.005, 0.015], p: 0.002 }, 'vector'),
      courier({ auc: 0.03, ci95: [0.02, 0.04], p: 0.002 }),
    ];
    expect(headline(reportWith(...rows))).toContain('3.0 points');
    expect(context(reportWith(...rows)).join(' ')).toContain('best of 2 such rows');
    expect(context(reportWith(rows[0] ?? baseline)).join(' ')).not.toContain('best of');
  });

  it('makes no comparison where there is none', () => {
    expect(headline(reportWith())).toMatch(/without images reaches a test AUC of 0\.8100; no embeddings/);
    expect(headline({ ...sampleReport(), rows: [] })).toBe('No model was evaluated.');
  });
});
