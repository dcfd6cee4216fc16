/** The model card of an encoder (Mitchell et al., 2019): what it is, what it learned from, what it is good for. */

import { decimals, duration, integer, oneLine } from '../text.ts';
import { escapeMarkdown } from './markdown.ts';

export interface ModelCard {
  readonly dataset: {
    readonly name: string;
    readonly hash: string;
    readonly users: number;
    readonly items: number;
    readonly photos: number;
    /** First and last time of a page view of each period, in milliseconds; null for an empty one. */
    readonly periods: Readonly<Record<string, readonly [first: number, last: number] | null>>;
    /** How candidates were chosen. */
    readonly candidates: string;
  };
  /** What was trained on, such as 18,074 and `clicks with an earlier one`. */
  readonly samples: { readonly count: number; readonly what: string };
  readonly side: number;
  readonly dimension: number;
  readonly parameters: number;
  /** What was trained of a pretrained network, in a sentence; null where nothing was. */
  readonly fineTuned: string | null;
  /** All that was set, as JSON takes it. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly objective: string;
  readonly training: {
    readonly steps: number;
    readonly images: number;
    readonly seconds: number;
    readonly machine: string;
    readonly versions: Readonly<Record<string, string>>;
  };
  readonly best: {
    readonly step: number;
    /** By name, as `metrics.jsonl` has them. */
    readonly figures: Readonly<Record<string, number>>;
  };
}

/** What a figure of `metrics.jsonl` says. */
const meanings: Readonly<Record<string, string>> = {
  validationAuc:
    'AUC of SimScore on the validation period: how often a clicked item is nearer to the earlier clicks than an unclicked one',
  validationRecall: 'share of clicks found among the ten nearest to what was rebuilt',
  embeddingDeviation: 'deviation of the embeddings, 0 for a collapsed encoder',
  effectiveRank: 'effective rank of the embeddings',
};

/** @returns the whole of `model-card.md`. Texts from outside are on one line and without markup. */
export function modelCard(card: ModelCard): string {
  const { dataset, samples, training, best } = card;
  const safe = (text: string) => escapeMarkdown(oneLine(text, 600));
  const versions = Object.entries(training.versions).map(([name, version]) => `${name} ${version}`);
  const figures = Object.entries(meanings).flatMap(([key, meaning]) => {
    const value = best.figures[key];
    return value === undefined ? [] : [`- ${decimals(value, 4)}: ${meaning}`];
  });
  return `${[
    `# Image encoder: ${safe(card.objective)} on ${safe(dataset.name)}`,
    `\`encoder.onnx\` takes photos as bytes, RGB, ${card.side} × ${card.side} pixels (n, ${card.side}, ${card.side}, 3), and gives embeddings of length 1 (n, ${card.dimension}). It has ${integer(card.parameters)} parameters, those of the loss included.`,
    ...(card.fineTuned === null ? [] : [safe(card.fineTuned)]),
    '## What it learned from',
    `Dataset ${safe(dataset.name)}, \`${dataset.hash}\`: ${integer(dataset.users)} users, ${integer(dataset.items)} items, ${integer(dataset.photos)} photos. ${integer(samples.count)} samples of the training period (${safe(samples.what)}). Candidates: ${safe(dataset.candidates)}`,
    Object.entries(dataset.periods)
      .map(([name, period]) => `- ${name}: ${period === null ? 'empty' : period.map(dayOf).join(' to ')}`)
      .join('\n'),
    `${integer(training.steps)} steps, ${integer(training.images)} photos encoded, ${duration(training.seconds)} on ${safe(training.machine)}; ${safe(versions.join(', '))}.`,
    '## How good it is',
    best.figures['validationAuc'] === undefined
      ? `The parameters are those of step ${integer(best.step)}. The validation period held nothing to judge them by.`
      : `The parameters are those of step ${integer(best.step)}, the best on the validation period. The test period was not read.`,
    ...(figures.length === 0 ? [] : [figures.join('\n')]),
    'What it adds to a click-through-rate model, `courier rank` or `courier compare` measure.',
    '## What it is for, and what it is not',
    [
      '- Features of a recommender or ads model for items of this catalogue, and of new items in photos of the same kind.',
      `- ${knows(card.objective)}`,
      '- For moderation, or anything about persons, it was neither made nor tested.',
    ].join('\n'),
    '## How to make it again',
    `\`\`\`json\n${JSON.stringify(card.settings, null, 2).replaceAll('`', "'")}\n\`\`\``,
  ].join('\n\n')}\n`;
}

/** What an encoder of an objective can know, and what it cannot. */
function knows(objective: string): string {
  switch (objective) {
    case 'supervised':
    case 'clip':
      return 'It knows what the catalogue says of its items, and nothing of what anybody clicked.';
    case 'simclr':
    case 'simsiam':
      return 'It knows what photos look like, and nothing of what they are of or of what anybody clicked.';
    default:
      return 'It knows what was clicked in this log: what was never shown, and people who never clicked, left no trace. Tastes change; train it anew when `validationAuc` on recent clicks falls. It does not know what a photo is of.';
  }
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
