import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { lift, reportRow, rowLift, sampleReport } from '../../test/support/report.ts';
import type { Lift } from '../metrics/lift.ts';
import type { Report, SliceResult } from './report.ts';
import { cutOff, sliceDomain } from './slice-chart.ts';
import { slicesSection } from './slices.ts';

interface Part {
  readonly textContent: string;
}

function parts(report: Report, selector: string): string[] {
  const { document } = parseHTML(`<body>${slicesSection(report)}</body>`);
  return Array.from<Part>(document.querySelectorAll(selector)).map(({ textContent }) =>
    textContent.replace(/\s+/g, ' ').trim(),
  );
}

function withSlices(...slices: SliceResult[]): Report {
  const rows = [
    reportRow('none', null, 0.8, null),
    reportRow('vector', 'courier', 0.81, rowLift(0.01, 0.005, 0.001), { slices }),
  ];
  return { ...sampleReport(), rows };
}

const overall = lift(0.01, 0.005, 0.001);
const gap: SliceResult = {
  family: 'user history',
  name: 'new',
  exposures: 3,
  kind: 'undefined',
  why: 'AUC is undefined: every row is clicked.',
};

function measured(name: string, lift: Lift | null): SliceResult {
  const part = { family: 'user history', name, exposures: 40 };
  return { ...part, kind: 'value', auc: { mean: 0.8, std: null }, lift };
}

describe('the section on where the lift comes from', () => {
  it('shows every part of the headline row under its family, beside the ranker without images', () => {
    const report = sampleReport();
    expect(parts(report, 'tbody th[scope="rowgroup"]')).toEqual([
      'Item history',
      'User history',
      'Popularity decile',
      'Category plain',
    ]);
    expect(parts(report, 'tbody:nth-of-type(1) :is(td, th[scope="row"])')).toEqual([
      ...['cold', '900', '+5.20', '4.20 to 6.20', '0.020', '0.8000 ± 0.0020', '0.8520 ± 0.0020'],
      ...['warm', '4,100', '+1.80', '1.33 to 2.27', '0.020', '0.8000 ± 0.0020', '0.8180 ± 0.0020'],
    ]);
    expect(parts(report, 'circle')).toHaveLength(14);
  });

  it('shows a part without a lift as a gap with its reason, in the picture and in the table', () => {
    const report = withSlices(gap, measured('returning', overall));
    expect(parts(report, 'circle')).toHaveLength(1);
    expect(parts(report, 'svg')[0]).toContain('AUC is undefined: every row is clicked.');
    expect(parts(report, 'td.gap')).toEqual(['AUC is undefined: every row is clicked.']);
  });

  it('says so where a part has an AUC but no lift', () => {
    expect(parts(withSlices(measured('returning', null)), 'td.gap')).toEqual([
      'not compared with the model without images',
    ]);
  });

  it('is left out when the headline row has no parts, or there is no such row', () => {
    expect(slicesSection(withSlices())).toBeNull();
    expect(slicesSection({ ...sampleReport(), rows: [] })).toBeNull();
  });

  it('shows the corrected p-value, and colours by it', () => {
    const lucky = { ...overall, pCorrected: 0.06 };
    const report = withSlices(measured('new', overall), measured('returning', lucky));
    expect(parts(report, 'td.lift + td + td')).toEqual(['0.001', '0.060']);
    expect(parts(report, 'td.better')).toHaveLength(1);
  });
});

describe('the scale of the parts', () => {
  const narrow = [1, 2, 3, 4].map((tenth) => measured(`${tenth}`, lift(0.01 * tenth, 0.01, 0.1)));
  const huge = measured('few', lift(0.02, 0.5, 0.9));

  it('holds zero, every mean and every usual interval', () => {
    const [low, high] = sliceDomain(narrow, overall);
    expect(low).toBeCloseTo(0);
    expect(high).toBeCloseTo(5);
    expect(cutOff(narrow, [low, high])).toBe(false);
  });

  it('draws lifts that are all exactly zero', () => {
    const rows = [
      reportRow('none', null, 0.8, null),
      reportRow('vector', 'courier', 0.8, rowLift(0, 0, 1), { slices: [measured('all', lift(0, 0, 1))] }),
    ];
    const report = { ...sampleReport(), rows };
    expect(parts(report, 'circle')).toHaveLength(1);
    expect(`${slicesSection(report)}`).not.toContain('NaN');
  });

  it('is not stretched by an interval far wider than the others, which is said to be cut off', () => {
    const slices = [...narrow, huge];
    expect(sliceDomain(slices, overall)).toEqual(sliceDomain(narrow, overall));
    expect(cutOff(slices, sliceDomain(slices, overall))).toBe(true);
    expect(parts(withSlices(...slices), '.note')[0]).toContain('goes on beyond it');
    expect(parts(withSlices(...narrow), '.note')[0]).not.toContain('goes on beyond it');
  });
});
