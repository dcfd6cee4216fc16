import { describe, expect, it } from 'vitest';
import { type ModelCard, modelCard } from './model-card.ts';

const card: ModelCard = {
  dataset: {
    name: 'shoes\n# <script>alert(1)</script>',
    hash: 'abc',
    users: 1200,
    items: 30,
    photos: 29,
    periods: { train: [Date.UTC(2026, 0, 1), Date.UTC(2026, 1, 3)], test: null },
    candidates: 'shown by the shop',
  },
  samples: { count: 18_074, what: 'clicks with an earlier one' },
  side: 64,
  dimension: 128,
  parameters: 5000,
  fineTuned: null,
  settings: { steps: 240, note: '```\n# no heading' },
  objective: 'courier',
  training: { steps: 240, images: 1_000_000, seconds: 75, machine: 'a laptop', versions: { node: '20' } },
  best: { step: 210, figures: { validationAuc: 0.68404, loss: 3 } },
};

describe('a model card', () => {
  it('says what was learned from, how good the encoder is, and how to make it again', () => {
    const text = modelCard(card);
    expect(text).toContain('1,200 users, 30 items, 29 photos. 18,074 samples');
    expect(text).toContain('- train: 2026-01-01 to 2026-02-03\n- test: empty');
    expect(text).toContain('those of step 210, the best on the validation period');
    expect(text).toContain('- 0.6840: AUC of SimScore');
    expect(text).toContain('"steps": 240');
  });

  it('claims nothing of a validation period that held nothing', () => {
    const text = modelCard({ ...card, best: { step: 240, figures: {} } });
    expect(text).toContain('held nothing to judge them by');
    expect(text).not.toContain('the best on');
  });

  it('claims to know of clicks only where an objective learns from them', () => {
    expect(modelCard(card)).toContain('It knows what was clicked');
    for (const objective of ['simclr', 'simsiam', 'clip', 'supervised'])
      expect(modelCard({ ...card, objective })).toContain('nothing of what');
  });

  it('lets no text from outside become markup', () => {
    const text = modelCard(card);
    expect(text).not.toContain('<script>');
    expect(text.match(/^# /gm)).toHaveLength(1);
    expect(text.match(/^```/gm)).toHaveLength(2);
  });
});
