import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { gap, value } from '../../test/support/measured.ts';
import { sampleReport } from '../../test/support/report.ts';
import { diagnosisSection } from './diagnosis.ts';
import type { Diagnosis } from './report.ts';

interface Part {
  readonly textContent: string;
  getAttribute(name: string): string | null;
}

const nothing: Diagnosis = {
  features: 'vector',
  source: 'courier',
  seed: 7,
  importance: value([]),
  gates: [],
  reliability: value([]),
  withoutCategories: value([]),
};

function section(diagnosis: Diagnosis | null, selector: string): Part[] {
  const { document } = parseHTML(`<body>${diagnosisSection({ ...sampleReport(), diagnosis })}</body>`);
  return [...document.querySelectorAll(selector)];
}

function texts(diagnosis: Diagnosis | null, selector: string): string[] {
  return section(diagnosis, selector).map(({ textContent }) => textContent.replace(/\s+/g, ' ').trim());
}

describe('the section on what the ranker rests on', () => {
  it('draws one bar for every input, coloured where it comes from photos, and reads all values out', () => {
    const importance = value([
      { input: 'item', visual: false, loss: 0.0612 },
      { input: 'sim-score', visual: true, loss: 0.034 },
      { input: 'user', visual: false, loss: -0.0011 },
    ]);
    const diagnosis = { ...nothing, importance };
    expect(section(diagnosis, '.importance rect').map((bar) => bar.getAttribute('fill'))).toEqual([
      'var(--muted)',
      'var(--orange)',
      'var(--muted)',
    ]);
    expect(section(diagnosis, '.importance [role="img"]')[0]?.getAttribute('aria-label')).toBe(
      'Loss of validation AUC in points without an input: item 6.12, similarity scores 3.40, user −0.11',
    );
  });

  it('draws the inputs that are missed most, images in any case, and says of how many', () => {
    const inputs = Array.from({ length: 40 }, (_, place) => {
      return { input: `input ${place}`, visual: place === 0, loss: place / 1000 };
    });
    const diagnosis = { ...nothing, importance: value(inputs) };
    const [shown] = texts(diagnosis, '.importance svg');
    for (const name of ['input 39', 'input 15', 'input 0']) expect(shown).toContain(name);
    expect(shown).not.toContain('input 14');
    expect(section(diagnosis, '.importance rect')).toHaveLength(26);
    expect(texts(diagnosis, '.importance figcaption')[0]).toContain(
      'Of 40 inputs those that are missed most',
    );
    const few = { ...nothing, importance: value(inputs.slice(0, 25)) };
    expect(texts(few, '.importance figcaption')[0]).not.toContain('Of 25');
  });

  it('draws the gates of the categories with most exposures, and says how many there are', () => {
    const gates = Array.from({ length: 30 }, (_, place) => {
      return { category: `category ${place}`, opening: place / 30, exposures: 1000 + place };
    });
    const diagnosis = { ...nothing, gates };
    expect(section(diagnosis, '.gates rect')).toHaveLength(20);
    expect(texts(diagnosis, '.gates svg')[0]).toContain('category 29');
    expect(texts(diagnosis, '.gates svg')[0]).not.toContain('category 9');
    expect(texts(diagnosis, '.gates figcaption')[0]).toContain('20 categories with most exposures of 30');
    expect(texts({ ...nothing, gates: gates.slice(0, 20) }, '.gates figcaption')[0]).not.toContain('of 20');
  });

  it('names a category without a name', () => {
    const gates = [{ category: '', opening: 0.5, exposures: 3 }];
    expect(texts({ ...nothing, gates }, '.gates svg')[0]).toContain('(no name)');
  });

  it('draws a dot for every bin of predictions, and the diagonal', () => {
    const reliability = value([
      { meanPrediction: 0.1, observedRate: 0.12, count: 50 },
      { meanPrediction: 0.3, observedRate: 0.25, count: 50 },
    ]);
    const diagnosis = { ...nothing, reliability };
    expect(section(diagnosis, '.reliability circle')).toHaveLength(2);
    expect(section(diagnosis, '.reliability g[aria-label="link"] path')).toHaveLength(1);
    expect(section(diagnosis, '.reliability [role="img"]')[0]?.getAttribute('aria-label')).toBe(
      'Reliability of predicted click rates: 10.0 % predicted, 12.0 % observed; 30.0 % predicted, 25.0 % observed',
    );
  });

  it('shows bins in which nothing was predicted and nothing observed', () => {
    const reliability = value([{ meanPrediction: 0, observedRate: 0, count: 5 }]);
    expect(section({ ...nothing, reliability }, '.reliability circle')).toHaveLength(1);
    expect(
      `${diagnosisSection({ ...sampleReport(), diagnosis: { ...nothing, reliability } })}`,
    ).not.toContain('NaN');
  });

  it('shows what images add with and without categories', () => {
    expect(texts(sampleReport().diagnosis, '.categories tbody :is(th, td)')).toEqual([
      ...['all inputs', '0.8120 ± 0.0012', '0.8400 ± 0.0012', '+2.80'],
      ...['without categories', '0.7840 ± 0.0012', '0.8290 ± 0.0012', '+4.50'],
    ]);
    expect(texts(sampleReport().diagnosis, '.categories svg')[0]).toContain('images: +4.50 points');
  });

  it('says why a figure is missing, and that the row could not be chosen by validation AUC', () => {
    const why = 'AUC is undefined: no row is clicked.';
    const { reliability } = sampleReport().diagnosis ?? nothing;
    const diagnosis = { ...nothing, importance: gap(why), reliability, withoutCategories: gap(why) };
    expect(texts(diagnosis, 'p')[0]).toMatch(
      /^The first row with images, since validation AUC is undefined,/,
    );
    expect(texts(diagnosis, 'figcaption')).toEqual([
      `Importance of inputs${why}`,
      expect.stringMatching(/^Reliability/),
      `What images add beyond categories${why}`,
    ]);
    expect(texts(sampleReport().diagnosis, 'p')[0]).toMatch(
      /^The warm-started row with the best validation AUC,/,
    );
  });

  it('leaves out figures without data, and itself when none is left', () => {
    const { gates } = sampleReport().diagnosis ?? nothing;
    expect(section({ ...nothing, gates }, 'figure')).toHaveLength(1);
    expect(diagnosisSection({ ...sampleReport(), diagnosis: nothing })).toBeNull();
    expect(diagnosisSection({ ...sampleReport(), diagnosis: null })).toBeNull();
  });
});
