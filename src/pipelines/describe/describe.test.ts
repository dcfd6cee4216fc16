import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, describe as group, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { courier } from '../../../test/support/terminal.ts';
import { csv, writeTinyTable } from '../../../test/support/tiny-shop.ts';
import { faultsOf } from '../../report/data-report.ts';
import { ingest } from '../ingest/index.ts';
import { describe } from './index.ts';
import { rateOf } from './rates.ts';

async function tiny() {
  const folder = await temporaryFolder();
  const options = await writeTinyTable(folder);
  return { folder, options, out: join(folder, 'dataset') };
}

/** A log whose rows say more than a log may: how long something was looked at, which only clicks have. */
async function withDwellTime() {
  const { folder, options, out } = await tiny();
  const rows: (string | number)[][] = [['user', 'item', 'time', 'clicked', 'view', 'dwell', 'device']];
  for (let view = 0; view < 60; view++) {
    for (let place = 0; place < 4; place++) {
      const isClicked = place === view % 4;
      // The last one of a page view is shown a minute later.
      const time = Date.UTC(2024, 0, 1) + view * 7_200_000 + (place === 3 ? 60_000 : 0);
      const user = view % 3 === 0 ? 'robot' : `user${view % 50}`;
      rows.push([
        user,
        `item${(view + place) % 12}`,
        time,
        isClicked ? 1 : 0,
        view,
        isClicked ? 3 + place : 0,
        'web',
      ]);
    }
  }
  await writeFile(options.log.path, csv(rows));
  const log = { ...options.log, pageView: 'view', numeric: ['dwell'] };
  await ingest({
    source: 'table',
    ...options,
    log,
    // A minute after a page view began.
    validationFrom: '2024-01-04T00:00:30',
    testFrom: '2024-01-05',
    side: 8,
    out,
  });
  return { folder, out };
}

group('describe', () => {
  it('counts exposures and clicks by day, position, category and context, and they add up', async () => {
    const { folder, options, out } = await tiny();
    await ingest({ source: 'table', ...options, side: 8, out });
    const { report, html, json } = await describe({ dataset: out, out: join(folder, 'data') });
    const { exposures, clicks } = report.ingest.counts;
    const total = (counted: readonly { exposures: number; clicks: number }[]) => [
      counted.reduce((sum, each) => sum + each.exposures, 0),
      counted.reduce((sum, each) => sum + each.clicks, 0),
    ];
    expect(total(report.days)).toEqual([exposures, clicks]);
    expect(report.families.map(({ name }) => name)).toEqual(['position in the page view', 'kind', 'device']);
    for (const { rates, others } of report.families) {
      expect(total(rates)).toEqual([exposures, clicks]);
      expect(others).toBe(0);
    }
    for (const { shares } of report.histories)
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(report.withPhoto).toEqual({ exposures: 1, clicks: 1 });
    expect(faultsOf(report)).toEqual([]);
    expect(await readFile(html, 'utf8')).toMatch(
      /^<!doctype html>[\s\S]*Nothing was found that gives answers away[\s\S]*<\/html>\n$/,
    );
    expect(JSON.parse(await readFile(json, 'utf8')).clickRate).toBe(report.clickRate);
  });

  it('says that a number which only clicks have is the answer, and which page views and users are odd', async () => {
    const { folder, out } = await withDwellTime();
    const { report } = await describe({ dataset: out, out: join(folder, 'data') });
    expect(faultsOf(report).map(({ what }) => what)).toEqual([
      'Exposures of which dwell alone says whether they were clicked',
    ]);
    const over = report.leaks.find(({ what }) => what.startsWith('Page views that begin in one split'));
    expect(over?.outcome).toMatchObject({ found: 1, of: 60 });
    const earlier = report.leaks.find(({ what }) => what.startsWith('Items of a history'));
    expect(earlier?.outcome).toMatchObject({ found: 0, isWrong: false });
    const { stdout } = await courier('describe', '--dataset', out, '--out', join(folder, 'again'));
    expect(stdout).toContain('Something in these data gives answers away: Exposures of which dwell alone');
  });

  it('gives rates an interval that holds for none, for few and for all', () => {
    expect(rateOf('', 0, 0)).toMatchObject({ rate: 0, interval: [0, 1] });
    // Wilson's interval of 0 of 10 and of 10 of 10: z² / (n + z²) from the end.
    const end = 1.959963984540054 ** 2 / (10 + 1.959963984540054 ** 2);
    expect(rateOf('', 10, 0).interval[1]).toBeCloseTo(end, 12);
    expect(rateOf('', 10, 10).interval[0]).toBeCloseTo(1 - end, 12);
  });
});
