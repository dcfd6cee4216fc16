import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventsInOrder } from './clicks.ts';
import { NONE, type PageViews } from './dataset.ts';
import { buildHistories } from './history.ts';
import { clickedRows, clicksOfExposures, LongHistories } from './long-history.ts';

const event = fc.record({ user: fc.nat(2), item: fc.nat(9), time: fc.nat(8) });
type Event = { readonly user: number; readonly item: number; readonly time: number };
const log = fc.array(event, { maxLength: 60 });
const views = fc.array(event, { minLength: 1, maxLength: 8 });
const lengths = { kept: fc.integer({ min: 0, max: 4 }), long: fc.integer({ min: 1, max: 12 }) };

function clicksOf(events: readonly Event[]) {
  return eventsInOrder(
    events.map(({ user }) => user),
    events.map(({ item }) => item),
    events.map(({ time }) => time),
  );
}

/** Page views at these times, whose own histories are those of the log. */
function viewsAt(events: readonly Event[], clicks: readonly Event[], historyLength: number): PageViews {
  const ordered = [...events].sort((a, b) => a.time - b.time);
  const user = Int32Array.from(ordered, (view) => view.user);
  const time = Float64Array.from(ordered, (view) => view.time);
  return {
    user,
    time,
    split: new Uint8Array(user.length),
    start: Int32Array.from({ length: user.length + 1 }, (_, view) => view),
    history: buildHistories(clicksOf(clicks), { user, time }, 3, historyLength),
    historyLength,
  };
}

/** A loop over everything, for one page view: the newest distinct items strictly before. */
function naive(clicks: readonly Event[], user: number, time: number, length: number): number[] {
  const earlier = clicks
    .map((click, row) => ({ ...click, row }))
    .filter((click) => click.user === user && click.time < time)
    .sort((a, b) => b.time - a.time || b.row - a.row);
  return [...new Set(earlier.map(({ item }) => item))].slice(0, length);
}

describe('long histories', () => {
  it('are the newest distinct items strictly before the page view, however few the page view keeps', () => {
    fc.assert(
      fc.property(log, views, lengths.kept, lengths.long, (clicks, events, kept, long) => {
        const pageViews = viewsAt(events, clicks, kept);
        const histories = new LongHistories({ pageViews, clicks: clicksOf(clicks) }, Math.max(kept, long));
        for (let view = 0; view < pageViews.user.length; view++) {
          const [user, time] = [pageViews.user[view]!, pageViews.time[view]!];
          expect([...histories.before(view)]).toEqual(naive(clicks, user, time, Math.max(kept, long)));
        }
      }),
    );
  });

  it('never see the future: clicks at the time of a page view or later change nothing', () => {
    fc.assert(
      fc.property(log, log, event, lengths.kept, (clicks, later, view, kept) => {
        const pageViews = viewsAt([view], clicks, kept);
        const future = later.map((click) => ({ ...click, time: view.time + click.time }));
        const of = (all: readonly Event[]) => [
          ...new LongHistories({ pageViews, clicks: clicksOf(all) }).before(0),
        ];
        expect(of([...clicks, ...future])).toEqual(of(clicks));
      }),
    );
  });

  it('begin with a history that came with the row, and end with its oldest place where there is room', () => {
    const pageViews = {
      ...viewsAt([{ user: 0, item: 0, time: 9 }], [], 3),
      history: Int32Array.of(7, 3, NONE),
    };
    const clicks = clicksOf([
      { user: 0, item: 1, time: 1 },
      { user: 0, item: 3, time: 2 },
      { user: 0, item: 2, time: 8 },
      { user: 0, item: 4, time: 9 },
    ]);
    const of = (length: number) => [...new LongHistories({ pageViews, clicks }, length).before(0)];
    expect(of(10)).toEqual([7, 3, 2, 1]);
    expect(of(4)).toEqual([7, 3, 2, 1]);
    expect(of(3)).toEqual([7, 3, 2]);
    expect(of(1)).toEqual([7]);
  });
});

describe('the clicks of exposures', () => {
  const pageViews = { user: Int32Array.of(1, 0), time: Float64Array.of(5, 6), start: Int32Array.of(0, 2, 4) };
  const exposures = { item: Int32Array.of(3, 4, 5, 6), clicked: Uint8Array.of(1, 0, 1, 1) };
  const rows = clickedRows(exposures);

  it('are those that are labelled so, at the time of their page view or at their own', () => {
    expect([...rows]).toEqual([0, 2, 3]);
    expect(clicksOfExposures(pageViews, exposures, rows, null)).toEqual({
      user: Int32Array.of(1, 0, 0),
      item: Int32Array.of(3, 5, 6),
      time: Float64Array.of(5, 6, 6),
    });
    expect(clicksOfExposures(pageViews, exposures, rows, Float64Array.of(9, 7, 8))).toEqual({
      user: Int32Array.of(0, 0, 1),
      item: Int32Array.of(5, 6, 3),
      time: Float64Array.of(7, 8, 9),
    });
  });
});
