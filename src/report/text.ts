/** Names, lifts and p-values as a reader of a report wants them. */
import type { Lift } from '../metrics/lift.ts';
import type { Summary } from '../metrics/summary.ts';
import { decimals, oneLine } from '../text.ts';
import { withoutLearning } from './report.ts';
import { sizedSource } from './sized-source.ts';

const sourceNames: ReadonlyMap<string, string> = new Map([
  ['courier', 'COURIER'],
  ['embeddings', 'given'],
  ['random', 'random encoder'],
  ['backbone', 'backbone alone'],
  ['pixel-pca', 'pixel PCA'],
  ['hog', 'HOG'],
  ['clip', 'CLIP'],
  ['simclr', 'SimCLR'],
  ['simsiam', 'SimSiam'],
  ['scl', 'SCL'],
]);

const featuresNames: ReadonlyMap<string, string> = new Map([
  ['none', 'no images'],
  [withoutLearning, 'no learning'],
  ['vector', 'vectors'],
  ['sim-score', 'similarity scores'],
  ['sim-tier', 'similarity tiers'],
  ['sim-retrieved', 'similarity to retrieved clicks'],
  ['attention-cosine', 'similarity in attention'],
  ['cluster-id', 'cluster ids'],
  ['semantic-id', 'semantic ids'],
]);

/** Such as `COURIER`, or `COURIER, first 64 numbers, int8` for what is called `courier@64-int8`. */
export function sourceName(name: string | null): string {
  if (name === null) return '–';
  const { source, size } = sizedSource(name);
  const whole = oneLine(sourceNames.get(source) ?? source, 40);
  return size === null ? whole : `${whole}, ${sizeName(size)}`;
}

/** Such as `first 64 numbers, int8`. */
export function sizeName(size: string | null): string {
  if (size === null) return 'whole';
  const parts = size.split('-').map((part) => (part === 'int8' ? part : `first ${part} numbers`));
  return parts.join(', ');
}

/** `sim-score+cluster-id` as `similarity scores + cluster ids`. */
export function featuresName(features: string): string {
  const parts = oneLine(features).split('+');
  return oneLine(parts.map((part) => featuresNames.get(part) ?? part).join(' + '), 80);
}

/** A name from outside on one line; one that has nothing to see is called so. */
export function name(text: string, limit: number): string {
  return oneLine(text, limit).trim() === '' ? '(no name)' : oneLine(text, limit);
}

/** A difference of AUC in points (hundredths), with its sign. */
export function signedPoints(difference: number, digits = 2): string {
  const text = decimals(100 * difference, digits);
  return difference > 0 && Number(text) !== 0 ? `+${text}` : text;
}

/** Limits of a difference of AUC, in points. */
export function interval([low, high]: Lift['ci95'], digits = 2): string {
  return `${decimals(100 * low, digits)} to ${decimals(100 * high, digits)}`;
}

export function pValue(p: number): string {
  if (p < 0.001) return '< 0.001';
  return p.toFixed(p < 0.1 ? 3 : 2);
}

export function meanAndStd({ mean, std }: Summary): string {
  return std === null ? decimals(mean, 4) : `${decimals(mean, 4)} ± ${decimals(std, 4)}`;
}
