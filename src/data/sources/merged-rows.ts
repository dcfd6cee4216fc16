/** Rows of one item in one page view, which are one exposure. */
import type { Findings } from '../findings.ts';
import { duplicateRows, type ShownRows } from './log-page-views.ts';

export interface MergedRows {
  /** One for each item of a page view: shown when it was shown first, and clicked when it was clicked first. */
  readonly rows: ShownRows;
  /** Where each page view begins, and the end. (P + 1) */
  readonly start: Int32Array;
}

/** Exposures of a page view up to which looking through them is faster than a map. */
const few = 24;

/** Merges in the memory of the rows. */
export function mergeRows(rows: ShownRows, findings: Findings): MergedRows {
  const { item, viewTime, viewKey } = rows;
  const columns = [
    ...[rows.row, rows.user, item, rows.time, rows.clicked, rows.clickedAt, viewTime, viewKey],
    ...rows.numeric,
    ...rows.context,
  ];
  const start = new Int32Array(item.length + 1);
  let [views, kept] = [0, 0];
  /** Where each item of the page view at hand is kept: looked up in a map only where there are many. */
  const places = new Map<number, number>();
  const placeOf = (wanted: number, from: number) => {
    if (kept - from > few) return places.get(wanted);
    for (let place = from; place < kept; place++) if (item[place] === wanted) return place;
    return undefined;
  };
  let begin = 0;
  for (let row = 0; row < item.length; row++) {
    if (kept === 0 || viewKey[row] !== viewKey[kept - 1] || viewTime[row] !== viewTime[kept - 1]) {
      start[views++] = kept;
      begin = kept;
      if (places.size > 0) places.clear();
    }
    const earlier = placeOf(item[row]!, begin);
    if (earlier !== undefined) {
      if (!mergeInto(rows, earlier, row)) findings.add(duplicateRows, `row ${rows.row[row]}`);
      else findings.add('Rows of an item already in its page view, merged into one');
      continue;
    }
    if (kept !== row) for (const values of columns) values[kept] = values[row]!;
    kept++;
    if (kept - begin > few)
      for (let place = begin + places.size; place < kept; place++) places.set(item[place]!, place);
  }
  start[views] = kept;
  return { rows: firstRows(rows, kept), start: start.slice(0, views + 1) };
}

/** @returns whether the later row says anything else than the earlier one */
function mergeInto(
  { time, clicked, clickedAt, numeric, context }: ShownRows,
  earlier: number,
  later: number,
) {
  const isSame = [time, clicked, clickedAt, ...numeric, ...context].every((values) =>
    Object.is(values[earlier], values[later]),
  );
  if (isSame) return false;
  const isClicked = clicked[earlier] === 1 || clicked[later] === 1;
  const clicks = [earlier, later].filter((row) => clicked[row] === 1).map((row) => clickedAt[row]!);
  time[earlier] = Math.min(time[earlier]!, time[later]!);
  clicked[earlier] = isClicked ? 1 : 0;
  clickedAt[earlier] = isClicked ? Math.min(...clicks) : time[earlier];
  return true;
}

function firstRows(rows: ShownRows, count: number): ShownRows {
  return {
    row: rows.row.subarray(0, count),
    user: rows.user.subarray(0, count),
    item: rows.item.subarray(0, count),
    time: rows.time.subarray(0, count),
    clicked: rows.clicked.subarray(0, count),
    clickedAt: rows.clickedAt.subarray(0, count),
    viewTime: rows.viewTime.subarray(0, count),
    viewKey: rows.viewKey.subarray(0, count),
    numeric: rows.numeric.map((values) => values.subarray(0, count)),
    context: rows.context.map((values) => values.subarray(0, count)),
  };
}
