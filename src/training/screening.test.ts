import { describe, expect, it } from 'vitest';
import { noNumbers } from '../data/counters/numeric-rows.ts';
import type { FeatureData } from '../data/dataset.ts';
import { Random } from '../random.ts';
import { chooseScreening, simScoreAuc } from './screening.ts';

describe('SimScore AUC', () => {
  const rows = [
    { candidate: 0, history: [2], clicked: 1 },
    { candidate: 1, history: [2], clicked: 0 },
  ];
  const photos = Int32Array.of(0, 1, 2);

  it('is 1 when clicked candidates are nearer to the history, 0 when they are farther', async () => {
    const embed = async () => Float32Array.of(1, 0, 0, 1, 1, 0);
    expect(await simScoreAuc({ photos, rows }, embed)).toBe(1);
    const swapped = rows.map((row) => ({ ...row, clicked: 1 - row.clicked }));
    expect(await simScoreAuc({ photos, rows: swapped }, embed)).toBe(0);
  });

  it('is null, not a number made up, when there is no click to tell from others', async () => {
    const unclicked = rows.map((row) => ({ ...row, clicked: 0 }));
    expect(await simScoreAuc({ photos, rows: unclicked }, async () => new Float32Array(6))).toBeNull();
  });
});

/** Page views of 5 items, one of them clicked for no reason; in every fourth it is one that the user clicked before. */
function repeatingLog(): FeatureData {
  const random = Random.seeded(1, 'repeating log');
  const [views, shown, earlier, items] = [3000, 5, 5, 2000];
  const drawn = Array.from({ length: views }, () =>
    random.shuffle(Int32Array.from({ length: items }, (_, item) => item)).subarray(0, shown + earlier),
  );
  const history = drawn.flatMap((each) => [...each.subarray(shown)]);
  const item = drawn.flatMap((each, view) => {
    const clicked = view % 4 === 0 ? each[shown + random.integer(earlier)]! : each[0]!;
    return [clicked, ...each.subarray(1, shown)];
  });
  return {
    clicks: { user: new Int32Array(), item: new Int32Array(), time: new Float64Array() },
    catalogue: {
      ids: Array.from({ length: items }, (_, index) => `item${index}`),
      photo: Int32Array.from({ length: items }, (_, index) => index),
      titles: [],
      categories: [],
    },
    pageViews: {
      user: new Int32Array(views),
      time: Float64Array.from({ length: views }, (_, view) => view),
      split: new Uint8Array(views).fill(1),
      start: Int32Array.from({ length: views + 1 }, (_, view) => view * shown),
      history: Int32Array.from(history),
      historyLength: earlier,
    },
    exposures: {
      item: Int32Array.from(item),
      clicked: Uint8Array.from(item, (_, row) => (row % shown === 0 ? 1 : 0)),
      numeric: noNumbers,
      context: [],
    },
  };
}

describe('the page views that are screened', () => {
  it('give vectors of noise an AUC near 0.5 where 5 % of what is shown was clicked before and is clicked again', async () => {
    const screening = chooseScreening(repeatingLog(), 'validation', 3000, Random.seeded(1, 'screening'));
    const random = Random.seeded(1, 'noise');
    const embed = async (photos: Int32Array) =>
      Float32Array.from(Array.from(photos, () => unitVector(random)).flat());
    const found = await simScoreAuc(screening, embed);
    expect(found).toBeGreaterThan(0.48);
    expect(found).toBeLessThan(0.52);
  });
});

function unitVector(random: Random): number[] {
  const values = Array.from({ length: 16 }, () => random.normal());
  return values.map((value) => value / Math.hypot(...values));
}
