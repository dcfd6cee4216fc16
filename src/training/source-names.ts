/** What embeddings can come from, by name. */

/** The objectives and what they are compared with, then COURIER with one thing changed each. */
export const sourceNames = [
  'courier',
  'scl',
  'supervised',
  'clip',
  'simclr',
  'simsiam',
  'random',
  'backbone',
  'pixel-pca',
  'hog',
  'courier-no-sequence',
  'courier-no-contrast',
  'courier-clicked-only',
  'courier-mean-history',
  'courier-self-attention',
  'courier-full-attention',
  'courier-projection-head',
  'courier-click-loss',
  'courier-small-batch',
] as const;
export type SourceName = (typeof sourceNames)[number];

/** What is compared unless asked otherwise: COURIER and the cheap ones. */
export const defaultSources = ['courier', 'random', 'pixel-pca', 'hog'] as const satisfies SourceName[];
