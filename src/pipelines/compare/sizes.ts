/** Rows of learned sources at smaller sizes than their encoder gives, and what they come to. */
import { bytesOf, lengthOf, sizeOf, wholeSize } from '../../data/embeddings/embedding-size.ts';
import { CourierError } from '../../errors.ts';
import type { EmbeddingFigures, ReportRow, SizeFigures } from '../../report/report.ts';
import { sizedSource, sourceAtSize } from '../../report/sized-source.ts';
import { embeddingSources } from '../../training/embedding-sources.ts';
import type { SourceName } from '../../training/source-names.ts';
import type { CompareConfig } from './config.ts';

/** A source as rows have it: whole, or at a size. */
export interface RowSource {
  readonly source: SourceName;
  /** null for whole embeddings. */
  readonly size: string | null;
  /** What the rows, their rankers and their clusters are called. */
  readonly name: string;
}

/** Each source, then its smaller sizes where it is learned. */
export function rowSources({
  sources,
  sizes,
}: Pick<CompareConfig, 'sources' | 'sizes'>): readonly RowSource[] {
  return sources.flatMap((source) => {
    const smaller = embeddingSources[source].objective !== null ? sizes : [];
    return [null, ...smaller].map((size) => ({ source, size, name: sourceAtSize(source, size) }));
  });
}

/**
 * @param dimension of the encoder's embeddings
 * @throws CourierError CONFIG_INVALID for sizes of nothing, or that are not smaller
 */
export function requireSizes(
  { sources, sizes }: Pick<CompareConfig, 'sources' | 'sizes'>,
  dimension: number,
): void {
  if (sizes.length === 0) return;
  if (!sources.some((source) => embeddingSources[source].objective !== null))
    throw new CourierError(
      'CONFIG_INVALID',
      'Invalid configuration: `sizes` are of learned sources, and `sources` names none.',
      'Name one, such as courier; files of embeddings are read at a size as FILE#first=64.',
    );
  const long = sizes.filter((size) => lengthOf(sizeOf(size), 0) >= dimension);
  if (long.length === 0) return;
  throw new CourierError(
    'CONFIG_INVALID',
    `Invalid configuration: \`sizes\` has ${long.join(', ')}, and embeddings have ${dimension} numbers.`,
    `Ask for fewer numbers than the \`encoder.dimension\` ${dimension}.`,
  );
}

/**
 * Of every row of a source that has smaller sizes, whole ones too.
 * @param dimension of the encoder's embeddings
 */
export function sizeFigures(
  rows: readonly ReportRow[],
  embeddings: readonly EmbeddingFigures[],
  dimension: number,
): readonly SizeFigures[] {
  const compared = rows.flatMap((row) => {
    if (row.source === null || row.lifts === null) return [];
    return [{ ...row, name: row.source, lift: row.lifts.auc, ...sizedSource(row.source) }];
  });
  const sized = new Set(compared.flatMap(({ source, size }) => (size === null ? [] : [source])));
  return compared
    .filter(({ source }) => sized.has(source))
    .map(({ name, source, size, features, start, auc, lift }) => {
      const figures = embeddings.find((one) => one.source === name);
      const bytes = bytesOf(size === null ? wholeSize : sizeOf(size), dimension);
      return { source, size, bytes, simScoreAuc: figures?.validation ?? unknown, features, start, auc, lift };
    });
}

const unknown = { kind: 'undefined', why: 'It was not computed.' } as const;
