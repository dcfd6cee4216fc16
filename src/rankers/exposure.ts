/** An exposure as a server knows it: ids, texts and raw numbers, no row of any table. */
import { type CategoricalColumn, NONE, pageViewOfRows } from '../data/dataset.ts';
import { type VisualFeature, widthOf } from '../data/visual-feature.ts';
import type { RankerData } from './fields.ts';

export interface RawItem {
  readonly id: string;
  /** The text of every category column, by its name; null where it is not known. */
  readonly categories: Readonly<Record<string, string | null>>;
  /**
   * Codes of its photo by column, such as `cluster_1000`; null without a photo. Left out, they are those that the
   * item had when the ranker was exported.
   */
  readonly codes?: Readonly<Record<string, number | null>> | undefined;
}

export interface RawExposure {
  readonly user: string;
  /** The text of every context column, by its name; null where it is not known. */
  readonly context: Readonly<Record<string, string | null>>;
  readonly candidate: RawItem;
  /** What the user clicked before, newest first, each item once. What goes beyond the ranker's H is not looked at. */
  readonly history: readonly RawItem[];
  /** Every base feature, by its name. */
  readonly numeric: Readonly<Record<string, number>>;
  /** Dense values of the visual feature; empty for a ranker that takes none. (W) */
  readonly visual: readonly number[];
  /**
   * How near the candidate is to each item of `history`: 1 + the cosine of their embeddings, 0 where one has none or both show
   * one photo. Left out for a ranker that does not take it.
   */
  readonly nearness?: readonly number[] | undefined;
}

/** Exposures of a dataset as a server would send them. */
export function rawExposures(
  data: RankerData,
  feature: VisualFeature | null,
  rows: Int32Array,
): readonly RawExposure[] {
  const { catalogue, users, pageViews, exposures } = data;
  const { historyLength } = pageViews;
  const { numeric } = exposures;
  const numbers = new Float32Array(rows.length * numeric.names.length);
  numeric.fill(rows, numbers);
  const pageViewOf = pageViewOfRows(data);
  const width = feature === null ? 0 : widthOf(feature);
  const visual = new Float32Array(rows.length * width);
  feature?.fill(rows, visual);
  const fillNearness = feature?.fillNearness ?? null;
  const nearness = new Float32Array(fillNearness === null ? 0 : rows.length * historyLength);
  fillNearness?.(rows, nearness);
  const itemOf = (number: number): RawItem => {
    const item = { id: catalogue.ids[number]!, categories: textsOf(catalogue.categories, number) };
    if (feature === null || feature.codes.length === 0) return item;
    const codes = feature.codes.map(({ name, codes: of }) => [
      name,
      of[number] === NONE ? null : of[number]!,
    ]);
    return { ...item, codes: Object.fromEntries(codes) };
  };
  return Array.from(rows, (row, index) => {
    const pageView = pageViewOf[row]!;
    const history = pageViews.history.subarray(pageView * historyLength, (pageView + 1) * historyLength);
    const near = nearness.subarray(index * historyLength, (index + 1) * historyLength);
    return {
      user: users[pageViews.user[pageView]!]!,
      context: textsOf(exposures.context, row),
      candidate: itemOf(exposures.item[row]!),
      history: Array.from(history.filter((item) => item !== NONE)).map(itemOf),
      numeric: Object.fromEntries(
        numeric.names.map((name, column) => [name, numbers[index * numeric.names.length + column]!]),
      ),
      visual: Array.from(visual.subarray(index * width, (index + 1) * width)),
      ...(fillNearness === null
        ? {}
        : { nearness: Array.from(near.filter((_, place) => history[place] !== NONE)) }),
    };
  });
}

/** The text of each column at this place. */
function textsOf(columns: readonly CategoricalColumn[], at: number): Record<string, string | null> {
  return Object.fromEntries(columns.map((column) => [column.name, textOf(column, column.codes[at]!)]));
}

/** Code 0 stands for a text that is missing. */
export function textOf({ values }: Pick<CategoricalColumn, 'values'>, code: number): string | null {
  return code === 0 ? null : values[code]!;
}
