/** A generated purchase log whose popularity drifts: new items come every day, sell best at first, and fade. */
import { type Clicks, eventsInOrder } from '../../src/data/clicks.ts';
import { Random } from '../../src/random.ts';

const day = 86_400_000;

/**
 * 120 days with 70 purchases each by 150 users. The n-th purchase of a day stands n milliseconds into it, as where a log
 * knows days only.
 * @param newItems that come each day
 * @param daysOnSale mean age of what is bought
 */
export function driftingPurchases(seed: number, newItems: number, daysOnSale: number): Clicks {
  const random = Random.seeded(seed, 'drifting-purchases');
  const [days, purchases, users] = [120, 70, 150];
  const rows = Array.from({ length: days * purchases }, (_, row) => {
    const date = Math.floor(row / purchases);
    const age = Math.floor(-Math.log(1 - random.uniform()) * daysOnSale * newItems);
    const item = Math.max(0, (date + 1) * newItems - 1 - age);
    return { user: random.integer(users), item, time: date * day + (row % purchases) };
  });
  return eventsInOrder(
    rows.map(({ user }) => user),
    rows.map(({ item }) => item),
    rows.map(({ time }) => time),
  );
}
