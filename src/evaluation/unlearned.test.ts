import { expect, it } from 'vitest';
import { gap, value } from '../../test/support/measured.ts';
import { unlearned } from './unlearned.ts';

function exposuresOf(columns: Readonly<Record<string, readonly number[]>>, clicked: readonly number[]) {
  const names = Object.keys(columns);
  const numeric = Float32Array.from(clicked.flatMap((_, row) => names.map((name) => columns[name]![row]!)));
  const item = new Int32Array(clicked.length);
  const exposures = { item, clicked: Uint8Array.from(clicked), numeric, numericNames: names, context: [] };
  return { exposures };
}

const all = Int32Array.of(0, 1, 2, 3);

it('nothing learned is the sum of the smoothed rates of item and user', () => {
  // The sums are 0, 3, 1, 2: one of the four pairs of a click and none is the wrong way round.
  const rates = { noise: [9, 9, 9, 9], item_rate: [0, 1, 1, 1], user_rate: [0, 2, 0, 1] };
  expect(unlearned(exposuresOf(rates, [0, 1, 1, 0]), all)).toEqual({
    columns: ['item_rate', 'user_rate'],
    auc: value(0.75),
  });
});

it('nothing learned is mean ratings or popularity where exposures are not known, and nothing where those are not either', () => {
  const ratings = {
    film_rating_mean: [3, 4, 2, 5],
    user_rating_mean: [3, 3, 3, 3],
    item_clicks_log: [0, 0, 0, 0],
  };
  expect(unlearned(exposuresOf(ratings, [0, 1, 0, 1]), all)).toEqual({
    columns: ['film_rating_mean', 'user_rating_mean'],
    auc: value(1),
  });
  const popularity = { item_clicks_log: [0, 1, 2, 3] };
  expect(unlearned(exposuresOf(popularity, [0, 0, 1, 1]), all)).toEqual({
    columns: ['item_clicks_log'],
    auc: value(1),
  });
  expect(unlearned(exposuresOf(popularity, [1, 1, 1, 1]), all)?.auc).toEqual(
    gap('AUC is undefined: every row is clicked.'),
  );
  expect(unlearned(exposuresOf({ price: [1, 2, 3, 4] }, [0, 0, 1, 1]), all)).toBeNull();
});
