/** Codes of photos as an item's ids, treated as any category of an item is. */

import { type FeatureData, NONE, pageViewOfRows, showSamePhoto } from '../data/dataset.ts';
import type { ItemCodes } from '../data/embeddings/clusters.ts';
import type { VisualFeature } from '../data/visual-feature.ts';

/** Whether the candidate's code is in the history, how often, and that there was something to compare. */
const width = 3;

/**
 * Each column of codes is an id of the candidate and of every history item, with an embedding of its own; and, as
 * for every category of an item, the ranker is told whether the candidate's code occurs in the history and how
 * often: what a small log is too short to learn from the embeddings. As with cosines, the candidate's own photo in the history
 * does not count.
 *
 * Dense values of one exposure, for each column: 1 if the code is in the history, log(1 + times), and 1 if
 * candidate and history have codes at all. (W = 3 · V)
 */
export function codeFeature(name: string, data: FeatureData, columns: readonly ItemCodes[]): VisualFeature {
  const { exposures, pageViews } = data;
  const { historyLength } = pageViews;
  const pageViewOf = pageViewOfRows(data);
  const all = width * columns.length;
  return {
    name,
    codes: columns,
    fillNearness: null,
    groups: columns.map(() => width),
    fill(rows, out) {
      out.fill(0, 0, rows.length * all);
      for (let index = 0; index < rows.length; index++) {
        const row = rows[index]!;
        const from = pageViewOf[row]! * historyLength;
        const candidate = exposures.item[row]!;
        for (let column = 0; column < columns.length; column++)
          writeMatches(data, columns[column]!.codes, candidate, from, out, index * all + column * width);
      }
    },
  };
}

/** Writes the values of one column of codes. @param from where the candidate's history begins @param at where they go */
function writeMatches(
  { catalogue, pageViews: { history, historyLength } }: FeatureData,
  codes: Int32Array,
  candidate: number,
  from: number,
  out: Float32Array,
  at: number,
): void {
  const code = codes[candidate]!;
  if (code === NONE) return;
  let [times, comparable] = [0, 0];
  for (let place = from; place < from + historyLength; place++) {
    const clicked = history[place]!;
    if (clicked === NONE || codes[clicked] === NONE || showSamePhoto(catalogue, candidate, clicked)) continue;
    comparable++;
    if (codes[clicked] === code) times++;
  }
  out[at] = times > 0 ? 1 : 0;
  out[at + 1] = Math.log1p(times);
  out[at + 2] = comparable > 0 ? 1 : 0;
}
