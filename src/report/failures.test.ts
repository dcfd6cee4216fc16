import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { gap } from '../../test/support/measured.ts';
import { rowLift, sampleReport } from '../../test/support/report.ts';
import { terminalFailures } from './failures.ts';
import { reportMarkdown } from './markdown.ts';
import { reportPage } from './page.ts';
import type { Failure } from './report.ts';
import { rivalSentence } from './rival.ts';

const failure = (message: string): Failure => {
  const where = { stage: 'rank', source: 'courier', features: 'sim-score', start: 'warm', seed: 3 } as const;
  return { ...where, code: 'TRAINING_DIVERGED', message };
};

describe('failures', () => {
  it('stand on the page as rows with the reason in place of figures', () => {
    const page = reportPage({ ...sampleReport(), failures: [failure('<b>no number</b>')] });
    const { document } = parseHTML(page);
    const cells = [...document.querySelectorAll('#failures tbody th, #failures tbody td')];
    expect(cells.map(({ textContent }) => textContent)).toEqual([
      'COURIER as similarity scores, warm start, seed 3',
      'ranker',
      '<b>no number</b> TRAINING_DIVERGED',
    ]);
    expect(document.querySelectorAll('#failures b')).toHaveLength(0);
  });

  it('are named in the Markdown, harmlessly', () => {
    const named = { ...failure('no number'), source: '<b>' };
    expect(
      reportMarkdown({ ...sampleReport(), failures: [named] })
        .trimEnd()
        .split('\n')
        .at(-1),
    ).toBe('Failed\\: \\<b\\> as similarity scores, warm start, seed 3.');
  });

  it('end what the terminal shows, on one line with what failed', () => {
    expect(terminalFailures([])).toBeNull();
    expect(terminalFailures([failure('a\u001b[2J')])?.split('\n')).toEqual([
      'Without figures:',
      '  COURIER as similarity scores, warm start, seed 3, ranker: a [2J [TRAINING_DIVERGED]',
      'Failed: COURIER as similarity scores, warm start, seed 3. Run the same command again to try only these.',
    ]);
  });
});

describe('the sentence on the best other source', () => {
  const versus = (p: number) => {
    const other = { source: 'hog', features: 'vector' };
    const lift = rowLift(0.012, 0.004, p);
    return [{ start: 'warm', features: 'sim-score', other, seeds: [1, 2], lift } as const];
  };

  it('gives the difference with its evidence, and owns up to chance', () => {
    expect(rivalSentence({ versusBestOther: [] })).toBeNull();
    expect(rivalSentence({ versusBestOther: versus(0.002) })).toBe(
      "Against the best row of any other source, HOG as vectors, COURIER's best, as similarity scores, makes a difference of +1.20 points of AUC (95 % interval 0.80 to 1.60, p = 0.002, 2 seeds).",
    );
    expect(rivalSentence({ versusBestOther: versus(0.2) })).toContain(
      'points of AUC, no more than chance can do (',
    );
  });

  it('says what the interval of one seed leaves out', () => {
    const alone = versus(0.002).map((one) => ({ ...one, seeds: [1] }));
    expect(rivalSentence({ versusBestOther: alone })).toMatch(/p = 0\.002, one seed: the chance of training/);
  });

  it('says why the difference cannot be told from chance', () => {
    const none = gap('The confidence interval is undefined: the test rows have 1 user.');
    const unjudged = versus(1).map((one) => {
      return { ...one, lift: { ...one.lift, ci95: none, p: none, pCorrected: none } };
    });
    expect(rivalSentence({ versusBestOther: unjudged })).toBe(
      "Against the best row of any other source, HOG as vectors, COURIER's best, as similarity scores: the difference of AUC is +1.20 points, which cannot be told from chance: The confidence interval is undefined: the test rows have 1 user.",
    );
  });

  it('stands below the table', () => {
    const page = reportPage({ ...sampleReport(), versusBestOther: versus(0.002) });
    const { document } = parseHTML(page);
    expect(document.querySelector('#results > p')?.textContent).toContain('HOG as vectors');
  });
});
