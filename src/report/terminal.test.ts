import { describe, expect, it } from 'vitest';
import { gap, value } from '../../test/support/measured.ts';
import { reportRow, rowLift, sampleReport } from '../../test/support/report.ts';
import { terminalTable } from './terminal.ts';

const scratch = { start: 'scratch' } as const;
const rows = [
  reportRow('none', null, 0.8, null, scratch),
  reportRow('sim-score', 'courier', 0.84, rowLift(0.04, 0.005, 0.0001), scratch),
  reportRow('none', null, 0.81, null),
  reportRow('sim-score', 'courier', 0.841, { ...rowLift(0.031, 0.0045, 0.002), pCorrected: value(0.004) }),
];

describe('terminalTable', () => {
  it('aligns names left and numbers right, and puts what began warm above what is from scratch', () => {
    expect(terminalTable(rows)).toBe(
      `
Features           Embeddings  Start                AUC    GAUC  Log loss   Lift  95 % interval  p (Holm)
─────────────────  ──────────  ───────  ───────────────  ──────  ────────  ─────  ─────────────  ────────
Warm start: the result; a ranker trained without images went on with and without them
no images          –           warm     0.8100 ± 0.0010  0.7900    0.4950      –              –         –
similarity scores  COURIER     warm     0.8410 ± 0.0010  0.8210    0.4795  +3.10   2.65 to 3.55     0.004
─────────────────  ──────────  ───────  ───────────────  ──────  ────────  ─────  ─────────────  ────────
From scratch: every ranker was trained from nothing; such comparisons exaggerate
no images          –           scratch  0.8000 ± 0.0010  0.7800    0.5000      –              –         –
similarity scores  COURIER     scratch  0.8400 ± 0.0010  0.8200    0.4800  +4.00   3.50 to 4.50   < 0.001
─────────────────  ──────────  ───────  ───────────────  ──────  ────────  ─────  ─────────────  ────────
Lift: difference of AUC to the row without images of the same start, in points (hundredths).
p (Holm): corrected for all lifts of the table; the intervals are not.
`.trim(),
    );
  });

  it('shows a missing figure as a gap, and says below why, and which weights were kept', () => {
    const row = {
      ...reportRow('none', null, 0.8, null),
      gauc: gap('GAUC is undefined: none of 6 groups holds both.'),
      ndcg: gap('It is not shown in a terminal.'),
      validationAuc: gap('AUC is undefined: no row is clicked.'),
    };
    const lines = terminalTable([row, row]).split('\n');
    expect(lines[3]).toMatch(/0\.8000 ± 0\.0010 +– +0\.5000/);
    expect(lines.slice(-3)).toEqual([
      'Why figures are missing:',
      '  GAUC is undefined: none of 6 groups holds both.',
      '  Validation split: AUC is undefined: no row is clicked. Every ranker kept the weights of its last step.',
    ]);
  });

  it('has no heading for a start without rows', () => {
    expect(terminalTable(rows.slice(2))).not.toContain('scratch');
    expect(terminalTable(rows.slice(0, 2))).not.toContain('Warm');
  });

  it('is hardly wider than 120 characters, even where features come together', () => {
    const widths = terminalTable(sampleReport().rows)
      .split('\n')
      .map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(123);
  });

  it('keeps control characters of a name from the terminal', () => {
    const table = terminalTable([reportRow('\u001b[2J', 'a\nb', 0.8, null)]);
    expect(table).toContain(' [2J');
    expect(table).toContain('a b');
    expect(table).not.toContain('\u001b');
  });
});
