import { describe, expect, it } from 'vitest';
import { reportRow } from '../../test/support/report.ts';
import { terminalTable } from './terminal.ts';

const rows = [
  reportRow('none', null, 0.81, null),
  reportRow('sim-score', 'courier', 0.841, { auc: 0.031, ci95: [0.026, 0.035], p: 0.002 }),
];

describe('terminalTable', () => {
  it('aligns names left and numbers right', () => {
    expect(terminalTable(rows)).toBe(
      `
Features           Embeddings              AUC             GAUC         Log loss  Lift (points)  95 % interval      p
─────────────────  ──────────  ───────────────  ───────────────  ───────────────  ─────────────  ─────────────  ─────
no images          –           0.8100 ± 0.0010  0.8100 ± 0.0010  0.8100 ± 0.0010              –              –      –
similarity scores  COURIER     0.8410 ± 0.0010  0.8410 ± 0.0010  0.8410 ± 0.0010          +3.10   2.60 to 3.50  0.002
`.trim(),
    );
  });

  it('keeps control characters of a name from the terminal', () => {
    const table = terminalTable([reportRow('\u001b[2J', 'a\nb', 0.8, null)]);
    expect(table).toContain(' [2J');
    expect(table).toContain('a b');
    expect(table).not.toContain('\u001b');
  });
});
