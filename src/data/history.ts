/** What a user clicked before a page view: never at its time, never after. */
import { groupRows } from '../groups.ts';
import { type Clicks, lowerBound } from './clicks.ts';
import { NONE } from './dataset.ts';

/**
 * For each page view, the items its user clicked strictly before, newest first, each once, padded with NONE.
 * Of clicks at the same time the later in the log counts as the newer.
 * @param pageViews user and time of each. (P)
 * @returns (P, H)
 */
export function buildHistories(
  clicks: Clicks,
  pageViews: { readonly user: Int32Array; readonly time: Float64Array },
  userCount: number,
  historyLength: number,
): Int32Array {
  const byUser = groupRows(clicks.user, userCount);
  const timeAt = (position: number): number => clicks.time[byUser.rows[position]!]!;
  const history = new Int32Array(pageViews.user.length * historyLength).fill(NONE);
  for (let pageView = 0; pageView < pageViews.user.length; pageView++) {
    const user = pageViews.user[pageView]!;
    const from = byUser.start[user]!;
    const end = lowerBound(timeAt, pageViews.time[pageView]!, from, byUser.start[user + 1]!);
    const kept = history.subarray(pageView * historyLength, (pageView + 1) * historyLength);
    let length = 0;
    for (let position = end - 1; position >= from && length < historyLength; position--) {
      const item = clicks.item[byUser.rows[position]!]!;
      if (!kept.includes(item)) kept[length++] = item;
    }
  }
  return history;
}
