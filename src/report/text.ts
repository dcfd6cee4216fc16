/** Numbers and names as a reader wants them, and texts from outside made harmless to look at. */
import type { Lift } from '../metrics/lift.ts';
import type { Summary } from '../metrics/summary.ts';

/** Characters that move a cursor, colour a terminal, or reverse the direction of what follows. */
const unprintable = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text from outside on one line, without control characters and not longer than `limit`. */
export function oneLine(text: string, limit = 200): string {
  const clean = text.slice(0, 4 * limit).replace(unprintable, ' ');
  const characters = [...clean];
  return characters.length > limit ? `${characters.slice(0, limit - 1).join('')}…` : clean;
}

/** The same for text of several lines: line breaks and tabs stay. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => (/[\n\t]/.test(character) ? character : ' '));
}

const objectiveNames: ReadonlyMap<string, string> = new Map([
  ['courier', 'COURIER'],
  ['embeddings', 'given'],
  ['random', 'random encoder'],
  ['pixel-pca', 'pixel PCA'],
  ['hog', 'HOG'],
  ['clip', 'CLIP'],
  ['simclr', 'SimCLR'],
  ['simsiam', 'SimSiam'],
  ['scl', 'SCL'],
]);

const featuresNames: ReadonlyMap<string, string> = new Map([
  ['none', 'no images'],
  ['vector', 'vectors'],
  ['sim-score', 'similarity scores'],
  ['sim-tier', 'similarity tiers'],
  ['cluster-id', 'cluster ids'],
  ['semantic-id', 'semantic ids'],
]);

export function objectiveName(objective: string | null): string {
  return objective === null ? '–' : oneLine(objectiveNames.get(objective) ?? objective, 40);
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

/** A number with a fixed number of decimals, a true minus sign, and never a negative zero. */
export function decimals(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
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

export function percent(share: number): string {
  return `${decimals(100 * share, 0)} %`;
}

export function integer(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const unit = Math.min(units.length - 1, value < 1 ? 0 : Math.floor(Math.log2(value) / 10));
  return `${(value / 1024 ** unit).toFixed(unit < 2 ? 0 : 1)} ${units[unit]}`;
}
