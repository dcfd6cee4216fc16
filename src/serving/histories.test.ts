import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventsInOrder } from '../data/clicks.ts';
import { NONE } from '../data/dataset.ts';
import { buildHistories } from '../data/history.ts';
import { Histories, historiesAt } from './histories.ts';

const clicks = fc.array(fc.record({ user: fc.nat(2), item: fc.nat(6), time: fc.nat(40) }), { maxLength: 60 });
const noViews = {
  user: new Int32Array(),
  time: new Float64Array(),
  history: new Int32Array(),
  historyLength: 0,
};

describe('histories of a service', () => {
  it('are those of a dataset at every page view, however many clicks an export had and how many came since', () => {
    fc.assert(
      fc.property(clicks, fc.nat(42), (all, until) => {
        const ordered = eventsInOrder(
          all.map(({ user }) => user),
          all.map(({ item }) => item),
          all.map(({ time }) => time),
        );
        const histories = new Histories(historiesAt(until, 3, ordered, noViews));
        for (let place = 0; place < ordered.time.length; place++)
          if (ordered.time[place]! >= until)
            histories.add(ordered.user[place]!, ordered.item[place]!, ordered.time[place]!);
        for (const time of [until, until + 3, 50])
          for (const user of [0, 1, 2]) {
            const view = { user: Int32Array.of(user), time: Float64Array.of(time) };
            const wanted = buildHistories(ordered, view, 3, 5);
            const found = histories.before(user, time, 5);
            expect(found).toEqual(Array.from(wanted).filter((item) => item !== NONE));
          }
      }),
    );
  });

  it('take up what only the log said of the last page view, before what was clicked since', () => {
    const ordered = eventsInOrder([0, 0, 0], [1, 2, 3], [10, 20, 40]);
    const views = {
      user: Int32Array.of(0),
      time: Float64Array.of(30),
      history: Int32Array.of(9, 2, 8, NONE),
      historyLength: 4,
    };
    const histories = new Histories(historiesAt(50, 1, ordered, views));
    expect(histories.before(0, 100)).toEqual([3, 9, 2, 8, 1]);
    expect(histories.before(0, 40)).toEqual([9, 2, 8, 1]);
  });

  it('are empty for a user that nobody knows, and keep the newest of very many clicks', () => {
    const histories = new Histories({
      start: Int32Array.of(0),
      item: new Int32Array(),
      time: new Float64Array(),
    });
    expect(histories.before(NONE, 10)).toEqual([]);
    for (let click = 0; click < 5000; click++) histories.add(0, click, click);
    expect(histories.before(0, 10_000).slice(0, 3)).toEqual([4999, 4998, 4997]);
    expect(histories.before(0, 10_000)).toHaveLength(1000);
  });
});
