/** The encoder where nobody has chosen one: by how much there is to learn from. */
import { z } from 'zod';
import { embeddingDimension, encoderNameMeaning } from './settings.ts';

export const autoSettings = z.strictObject({
  name: z.literal('auto').default('auto').describe(encoderNameMeaning),
  dimension: embeddingDimension,
});

export type AutoConfig = z.output<typeof autoSettings>;

/**
 * Clicks of a training period from which on a network that learns how to see is ahead of one that is told. On H&M's sample of
 * 23,000 `outlines` is ahead by far; how much further it stays so is a guess.
 */
const enoughClicks = 100_000;

/**
 * @param clicks of the training period
 * @param side of the photos in pixels, which the cells of one and the patches of the other have to divide
 */
export function chosenName(clicks: number, side: number): 'outlines' | 'vit-nano' {
  const fits = side % outlineCells === 0;
  return fits && clicks < enoughClicks ? 'outlines' : 'vit-nano';
}

const outlineCells = 8;
