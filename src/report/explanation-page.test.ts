import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { gap, value } from '../../test/support/measured.ts';
import { sampleReport } from '../../test/support/report.ts';
import { attentionSentence } from './attention.ts';
import type { AttentionSummary, CorrelationSummary } from './attention-summary.ts';
import type { Explanation } from './explanation.ts';
import { explanationJson } from './explanation-json.ts';
import { explanationPage } from './explanation-page.ts';
import { reportPage } from './page.ts';
import type { Photo } from './report.ts';

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

const pixel = 'data:image/jpeg;base64,/9j/4AAQSkZJRg==';

function correlation(mean: number, low: number, high: number): CorrelationSummary {
  const histogram = Array.from({ length: 21 }, (_, bin) => ({
    around: (bin - 10) / 10,
    clicks: bin > 15 ? 8 : 0,
  }));
  return { clicks: 40, mean, ci95: [low, high], histogram };
}

function attention(similarity: CorrelationSummary | null): AttentionSummary {
  return {
    split: 'validation',
    clicks: 50,
    users: 12,
    historyItems: 4.6,
    effectiveItems: 2.1,
    concentration: [{ historyItems: 5, clicks: 50, p5: 1, p25: 1.5, median: 2, p75: 3, p95: 4 }],
    similarity,
    recency: similarity,
  };
}

/** An explanation in which each text from outside is `text` or holds it. */
function explanation(text = 'plain'): Explanation {
  const photo = (item: string, dataUri: string | null = pixel): Photo => ({ item, title: text, dataUri });
  return {
    dataset: text,
    command: text,
    startedAt: '2026-01-01T00:00:00.000Z',
    clicks: [
      {
        clicked: photo('a'),
        history: [
          { photo: photo('b'), weight: 0.7, cosine: 0.8 },
          { photo: photo('c', null), weight: 0.3, cosine: -0.1 },
        ],
        user: text,
        time: '2026-01-01T00:00:00.000Z',
        effectiveItems: 1.84,
      },
    ],
    attention: attention(correlation(0.6, 0.5, 0.7)),
    neighbours: [
      {
        item: photo('a'),
        sources: [
          { name: text, neighbours: [{ photo: photo('d'), cosine: 0.9 }] },
          { name: 'hog', neighbours: null },
        ],
      },
    ],
    map: {
      source: 'courier',
      items: 200,
      explained: [0.3, 0.2],
      category: text,
      leastExposures: 5,
      points: Array.from({ length: 80 }, (_, place) => ({
        item: `${place}`,
        x: Math.cos(place),
        y: Math.sin(place),
        category: place % 3 === 0 ? text : place % 3 === 1 ? `kind ${place % 8}` : null,
        clickRate: place % 2 === 0 ? null : place / 80,
      })),
    },
    information: value({
      category: text,
      clusters: 50,
      exposures: 9000,
      clickEntropy: 0.7,
      permutations: 200,
      sources: [
        { name: text, plugIn: 0.01, corrected: 0.004, chance: { mean: 0.001, high: 0.002 } },
        { name: 'hog', plugIn: 0.009, corrected: 0.0015, chance: { mean: 0.001, high: 0.002 } },
      ],
    }),
  };
}

describe('the page of an explanation', () => {
  it('has a heading for every section, and leaves out those without anything', () => {
    const headings = (page: string) => elements(page, 'h2').map(({ textContent }) => textContent);
    const all = explanation();
    expect(headings(explanationPage(all))).toEqual([
      'Which earlier clicks rebuild a click',
      'What attention follows',
      'Nearest neighbours',
      'A map of the catalogue',
      'What clusters tell beyond categories',
      'Run it again',
    ]);
    expect(headings(explanationPage({ ...all, clicks: [], neighbours: [] }))).toHaveLength(4);
  });

  it.each(['<script>alert(1)</script>', '"><img src=x onerror="a">', "</style>' onload='a", '\u202e\u0000`'])(
    'has the same elements and attributes whatever texts from outside say: %s',
    (hostile) => {
      const structure = (page: string) =>
        elements(page).map((element) => [element.tagName, ...element.getAttributeNames()].join(' '));
      const page = explanationPage(explanation(hostile));
      expect(structure(page)).toEqual(structure(explanationPage(explanation())));
      for (const text of ['alert(1)</script', '<img src=x', '\u202e']) expect(page).not.toContain(text);
    },
  );

  it('shows weight and cosine of every earlier click, and says where a photo is missing', () => {
    const page = explanationPage(explanation());
    const texts = (selector: string) => elements(page, selector).map(({ textContent }) => textContent);
    expect(texts('.strip .weight')).toEqual(['attention 70 %', 'attention 30 %', 'clicked']);
    expect(texts('.strip .cosine')).toEqual(['cosine 0.80', 'cosine −0.10']);
    expect(elements(page, '.strip .missing')).toHaveLength(1);
    expect(texts('.neighbours .note')).toEqual(['This item has no embedding there.']);
  });

  it('draws a dot for every item of the map, twice, and counts all of them in each legend', () => {
    const page = explanationPage(explanation());
    expect(elements(page, '.map circle')).toHaveLength(160);
    for (const legend of elements(page, '.map .legend').map(({ textContent }) => textContent)) {
      const counts = [...legend.matchAll(/\s(\d+)\s*(?=\D|$)/g)];
      expect(counts.length).toBeGreaterThan(4);
    }
    const items = elements(page, '.map .legend small').map(({ textContent }) => Number(textContent));
    expect(items.reduce((sum, count) => sum + count, 0)).toBe(160);
  });

  it('draws what clusters tell from the mean of chance on, and marks what chance does not reach', () => {
    const page = explanationPage(explanation());
    const colors = elements(page, '#information circle').map((dot) => dot.getAttribute('fill'));
    expect(colors).toEqual(['var(--blue)', 'var(--muted)']);
    expect(elements(page, '#information td').map(({ textContent }) => textContent)).toEqual(
      ['10.00', '4.00', '1.00', '2.00', '3.00'].concat(['9.00', '1.50', '1.00', '2.00', '0.50']),
    );
  });
});

describe('what clusters tell, where it is undefined', () => {
  it('is a section with the reason', () => {
    const page = explanationPage({ ...explanation(), information: gap('There are no exposures.') });
    expect(elements(page, '#information p').map(({ textContent }) => textContent)).toEqual([
      'There are no exposures.',
    ]);
    expect(elements(page, '#information :is(table, figure)')).toEqual([]);
  });
});

describe('the sentence on attention', () => {
  it('claims what the interval allows and no more', () => {
    const said = (...numbers: [number, number, number]) =>
      attentionSentence(attention(correlation(...numbers)));
    expect(said(0.6, 0.5, 0.7)).toBe(
      'Of 4.6 earlier clicks, 2.1 carry the attention; it follows visual similarity (rank correlation 0.60, 0.50 to 0.70).',
    );
    expect(said(0.1, -0.1, 0.3)).toContain('it is not known to follow visual similarity');
    expect(said(-0.3, -0.4, -0.2)).toContain('it runs against visual similarity');
    expect(attentionSentence(attention(null))).toBe('Of 4.6 earlier clicks, 2.1 carry the attention.');
  });
});

describe('attention in the report', () => {
  it('stands above the examples where it is known', () => {
    const summary = attention(correlation(0.6, 0.5, 0.7));
    const page = reportPage({ ...sampleReport(), attentionSummary: summary });
    expect(elements(page, '#examples p')[0]?.textContent).toBe(attentionSentence(summary));
    const names = elements(page, '#examples figure div[role="img"]').map((chart) =>
      chart.getAttribute('aria-label'),
    );
    expect(names.map((label) => label?.split(':')[0])).toEqual([
      'Effective number of earlier clicks',
      'Rank correlations of attention and cosine of 40 clicks, mean 0.60',
      'Mean rank correlation of attention',
    ]);
  });
});

describe('the JSON of an explanation', () => {
  it('names photos by item, and refuses what is no number', () => {
    const json = JSON.stringify(explanationJson(explanation()));
    expect(json).not.toContain('data:image');
    expect(JSON.parse(json)).toMatchObject({
      clicks: [{ item: 'a', history: [{ item: 'b', weight: 0.7 }, { item: 'c' }] }],
      neighbours: [{ item: 'a', sources: [{ neighbours: [{ item: 'd' }] }, { neighbours: null }] }],
    });
    const map = { ...explanation().map, explained: [Number.NaN, 0] as const };
    expect(() => explanationJson({ ...explanation(), map })).toThrow('explanation.map.explained.0 is NaN');
  });
});
