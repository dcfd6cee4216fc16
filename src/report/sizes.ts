/** The small table of embeddings at several sizes. */
import { known } from '../metrics/measured.ts';
import { decimals, integer } from '../text.ts';
import type { Report, SizeFigures } from './report.ts';
import { startGroups } from './rows.ts';
import { featuresName, interval, signedPoints, sizeName, sourceName } from './text.ts';

export const sizesTitle = 'Embedding sizes';

/** The first three are words. */
export const sizeTitles = [
  'Embeddings',
  'Size',
  'Features',
  'Bytes each',
  'SimScore AUC',
  'AUC',
  'Lift',
  '95 % interval',
] as const;
/** How many columns of words come first. */
export const sizeWords = 3;

export const sizesNote =
  'The same encoders at smaller sizes, none trained again: the first numbers of each embedding brought to unit length, numbers as whole n/127 of the largest of their embedding. Bytes are of one embedding; SimScore AUC is of the validation period; AUC and lift are those of the table of results.';

/** The cells of each row of the result: of those that began warm, where there are any. */
export function sizeCells({ sizes }: Pick<Report, 'sizes'>): readonly (readonly string[])[] {
  return (startGroups(sizes)[0]?.rows ?? []).map(cellsOf);
}

function cellsOf({ source, size, bytes, simScoreAuc, features, auc, lift }: SizeFigures): readonly string[] {
  const [simScore, mean] = [known(simScoreAuc), known(auc)?.mean ?? null];
  const [difference, ci95] = [known(lift.difference), known(lift.ci95)];
  return [
    sourceName(source),
    sizeName(size),
    featuresName(features),
    integer(bytes),
    simScore === null ? '–' : decimals(simScore, 4),
    mean === null ? '–' : decimals(mean, 4),
    difference === null ? '–' : signedPoints(difference),
    ci95 === null ? '–' : interval(ci95),
  ];
}

/** For a terminal, under its title; null where there is nothing at a smaller size. */
export function terminalSizes(report: Pick<Report, 'sizes'>): string | null {
  const cells = sizeCells(report);
  if (cells.length === 0) return null;
  const all = [sizeTitles, ...cells];
  const widths = sizeTitles.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const lines = all.map((row) =>
    row
      .map((text, column) =>
        column < sizeWords ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return [`${sizesTitle}:`, ...lines].join('\n');
}
