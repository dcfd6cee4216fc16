import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { driftingPurchases } from '../../../test/support/purchase-log.ts';
import { Random } from '../../random.ts';
import { type Clicks, eventsInOrder } from '../clicks.ts';
import { Findings } from '../findings.ts';
import { type CandidateOptions, defaultCandidates } from './candidate-options.ts';
import { type SampledPageViews, samplePageViews } from './sampled-page-views.ts';

const purchase = fc.record({ user: fc.nat(3), item: fc.nat(12), time: fc.nat(8) });
const log = fc.array(purchase, { maxLength: 80 }).map((events) =>
  eventsInOrder(
    events.map(({ user }) => user),
    events.map(({ item }) => item),
    events.map(({ time }) => time),
  ),
);
const day = 86_400_000;
const inDays = (clicks: Clicks): Clicks => ({ ...clicks, time: clicks.time.map((time) => time * day) });
const earlier: CandidateOptions = { from: 'earlier' };
const window: CandidateOptions = { from: 'window', days: 2, number: 3 };

function sampled(clicks: Clicks, options: CandidateOptions, seed = 1, period = 1): SampledPageViews {
  return samplePageViews(clicks, period, options, Random.seeded(seed, 'candidates'), new Findings());
}

/** Row of the click, bought item and others of each page view. */
function viewsOf(clicks: Clicks, { target, start, item, clicked }: SampledPageViews) {
  return Array.from(target, (row, view) => {
    const places = Array.from(
      item.subarray(start[view], start[view + 1]),
      (_, place) => start[view]! + place,
    );
    const chosen = (label: number) =>
      places.filter((place) => clicked[place] === label).map((place) => item[place]!);
    return { row, user: clicks.user[row]!, time: clicks.time[row]!, bought: chosen(1), others: chosen(0) };
  });
}

/** Items that a user bought before a time. */
function boughtBefore(clicks: Clicks, user: number, time: number): Set<number> {
  return new Set(clicks.item.filter((_, row) => clicks.user[row] === user && clicks.time[row]! < time));
}

/** Rows in which a user buys an item for the first time, by item. */
function firstPurchases({ user, item }: Clicks): Map<number, number[]> {
  const seen = new Set<string>();
  const rows = new Map<number, number[]>();
  for (let row = 0; row < item.length; row++) {
    const pair = `${user[row]} ${item[row]}`;
    if (!seen.has(pair)) rows.set(item[row]!, [...(rows.get(item[row]!) ?? []), row]);
    seen.add(pair);
  }
  return rows;
}

function hash({ target, start, item, clicked }: SampledPageViews): string {
  const sha256 = createHash('sha256');
  for (const column of [target, start, item, clicked]) sha256.update(column);
  return sha256.digest('hex');
}

describe.each([
  ['window', window],
  ['earlier', earlier],
])('page views sampled from: %s', (_name, options) => {
  it('end in first purchases after two other items, beside distinct items that the user never bought before', () => {
    fc.assert(
      fc.property(log, fc.nat(), (shop, seed) => {
        const clicks = inDays(shop);
        for (const { row, user, time, bought, others } of viewsOf(
          clicks,
          sampled(clicks, options, seed, day),
        )) {
          const own = boughtBefore(clicks, user, time);
          expect(own.size).toBeGreaterThanOrEqual(2);
          expect(bought).toEqual([clicks.item[row]]);
          expect(own.has(bought[0]!)).toBe(false);
          expect(new Set([...bought, ...others]).size).toBe(1 + others.length);
          for (const item of others) expect(own.has(item)).toBe(false);
        }
      }),
    );
  });

  it('are the same for the same seed, and others for another', () => {
    const clicks = driftingPurchases(1, 5, 30);
    expect(hash(sampled(clicks, options, 1, day))).toBe(hash(sampled(clicks, options, 1, day)));
    expect(hash(sampled(clicks, options, 2, day))).not.toBe(hash(sampled(clicks, options, 1, day)));
  });
});

describe('candidates from a window', () => {
  it('were first bought by others within its days, and not by the user on the first of them', () => {
    const clicks = driftingPurchases(2, 5, 30);
    const [days, number] = [7, 4];
    const views = sampled(clicks, { from: 'window', days, number }, 1, day);
    const firsts = firstPurchases(clicks);
    const others = viewsOf(clicks, views).flatMap((view) => view.others.map((item) => ({ ...view, item })));
    expect(others).toHaveLength(number * views.target.length);
    for (const { user, time, item } of others) {
      const from = Math.floor(time / day) * day;
      const rows = firsts.get(item) ?? [];
      const inWindow = rows.filter(
        (row) => clicks.time[row]! >= from && clicks.time[row]! < from + days * day,
      );
      expect(inWindow.some((row) => clicks.user[row] !== user)).toBe(true);
      expect(rows.some((row) => clicks.user[row] === user && clicks.time[row]! < from + day)).toBe(false);
    }
  });

  it('come from later days where the window has too few, and are fewer where the log has no more', () => {
    const purchases = [
      ...[1, 2, 3].map((item) => ({ user: 0, item, time: item })),
      ...[4, 5, 6].map((item) => ({ user: 1, item, time: 20 + item })),
    ];
    const clicks = inDays(
      eventsInOrder(
        purchases.map(({ user }) => user),
        purchases.map(({ item }) => item),
        purchases.map(({ time }) => time),
      ),
    );
    const findings = new Findings();
    const options = { from: 'window', days: 7, number: 2 } as const;
    const views = samplePageViews(clicks, day, options, Random.seeded(1, 'candidates'), findings);
    expect(viewsOf(clicks, views).map(({ others }) => others.toSorted())).toEqual([[4, 5]]);
    expect(findings.list().map(({ what, count }) => [what, count])).toEqual([
      ['Page views whose window was widened beyond 7 days to find 2 others', 1],
      ['Page views with fewer than 2 items to sample from', 1],
    ]);
  });

  it('unless told otherwise are four, from seven days', () => {
    expect(defaultCandidates).toEqual({ from: 'window', days: 7, number: 4 });
  });
});

describe('candidates from earlier purchases', () => {
  it('were bought before the period of the page view', () => {
    fc.assert(
      fc.property(log, (clicks) => {
        for (const { row, time, others } of viewsOf(clicks, sampled(clicks, earlier, 1, 3))) {
          const known = clicks.item
            .subarray(0, row)
            .filter((_, place) => clicks.time[place]! < time - (time % 3));
          for (const item of others) expect(known).toContain(item);
        }
      }),
    );
  });

  it('do not depend on purchases at or after their time', () => {
    fc.assert(
      fc.property(log, fc.nat(8), (clicks, end) => {
        const before = clicks.time.findIndex((time) => time >= end);
        const count = before < 0 ? clicks.time.length : before;
        const part = {
          user: clicks.user.slice(0, count),
          item: clicks.item.slice(0, count),
          time: clicks.time.slice(0, count),
        };
        const [whole, early] = [sampled(clicks, earlier), sampled(part, earlier)];
        expect(whole.item.subarray(0, early.item.length)).toEqual(early.item);
        expect(whole.clicked.subarray(0, early.clicked.length)).toEqual(early.clicked);
      }),
    );
  });

  it('are those of earlier tables, byte for byte', () => {
    const views = sampled(driftingPurchases(1, 5, 30), earlier, 1, day);
    expect(views.target).toHaveLength(6010);
    expect(hash(views)).toBe('1162741e6321ef35da2d27ccb9e086cde1d72987c74be1555f972c60419c0768');
  });
});
