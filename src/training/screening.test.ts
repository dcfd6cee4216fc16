import { describe, expect, it } from 'vitest';
import { simScoreAuc } from './screening.ts';

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
