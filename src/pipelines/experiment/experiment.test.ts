import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { defined } from '../../../test/support/measured.ts';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { courier } from '../../../test/support/terminal.ts';
import {
  type TinyOptions,
  tinyDefinition,
  writeTinyExperiment,
} from '../../../test/support/tiny-experiment.ts';
import { csv } from '../../../test/support/tiny-shop.ts';
import type { ExperimentReport } from '../../report/experiment.ts';
import { experimentPage } from '../../report/experiment-page.ts';
import { experimentReport } from './index.ts';
import { experimentPower } from './power.ts';

type Rows = readonly (readonly (string | number)[])[];

interface Files {
  readonly definition?: unknown;
  readonly exposures: Rows;
  readonly clicks?: Rows | undefined;
  readonly orders?: Rows | undefined;
}

const exposureHead = ['event', 'user', 'time', 'arm'];
const clickHead = ['event', 'user', 'time'];
const orderHead = ['event', 'user', 'time', 'revenue'];

/** Writes an experiment by hand. @returns settings of its report */
async function written({ definition = tinyDefinition, exposures, clicks, orders }: Files) {
  const folder = await temporaryFolder();
  const at = (name: string) => join(folder, name);
  await writeFile(at('experiment.json'), JSON.stringify(definition));
  await writeFile(at('exposures.csv'), csv([exposureHead, ...exposures]));
  if (clicks !== undefined) await writeFile(at('clicks.csv'), csv([clickHead, ...clicks]));
  if (orders !== undefined) await writeFile(at('orders.csv'), csv([orderHead, ...orders]));
  return {
    folder,
    settings: {
      definition: at('experiment.json'),
      exposures: { path: at('exposures.csv'), event: 'event' },
      ...(clicks === undefined ? {} : { clicks: { path: at('clicks.csv'), event: 'event' } }),
      ...(orders === undefined ? {} : { orders: { path: at('orders.csv'), event: 'event' } }),
      out: at('out'),
    },
  };
}

async function reported(options: TinyOptions = {}): Promise<ExperimentReport> {
  const folder = await temporaryFolder();
  const { definition, exposures, clicks, orders } = await writeTinyExperiment(folder, options);
  const files = { exposures: { path: exposures }, clicks: { path: clicks }, orders: { path: orders } };
  return (await experimentReport({ definition, ...files, out: join(folder, 'out') })).report;
}

/** Two users in each arm on the first day, and one more of control on the third. */
const shown: Rows = [
  ['e1', 'a', '2024-03-01 10:00', 'control'],
  ['e2', 'a', '2024-03-01 11:00', 'control'],
  ['e3', 'b', '2024-03-01 10:00', 'control'],
  ['e4', 'c', '2024-03-01 12:00', 'images'],
  ['e5', 'd', '2024-03-01 13:00', 'images'],
  ['e6', 'd', '2024-03-02 13:00', 'images'],
  ['e7', 'f', '2024-03-03 13:00', 'control'],
];
const bought: Rows = [
  ['o1', 'a', '2024-03-01 12:00', 10],
  ['o2', 'c', '2024-03-02 12:00', 30],
  ['o3', 'd', '2024-03-03 12:00', 5],
];

describe('what files of events come to', () => {
  it('is users, exposures, clicks, orders and revenue of each arm, and metrics of these', async () => {
    const clicks = [
      ['c1', 'a', '2024-03-01 11:01'],
      ['c2', 'd', '2024-03-02 13:01'],
    ];
    const { settings } = await written({ exposures: shown, clicks, orders: bought });
    const { report } = await experimentReport(settings);
    expect(report.arms).toMatchObject([
      { name: 'control', users: 3, exposures: 4, clicks: 1, orders: 1, revenue: 10 },
      { name: 'images', users: 2, exposures: 3, clicks: 1, orders: 2, revenue: 35 },
    ]);
    expect(report.metrics.map(({ metric, values }) => [metric, ...values.map(defined)])).toEqual([
      ['gmv', 10 / 3, 35 / 2],
      ['orders', 1 / 3, 1],
      ['ctr', 1 / 4, 1 / 3],
    ]);
    expect(report).toMatchObject({ days: 3, daysBefore: null, findings: [], mixedUsers: 0 });
    expect(defined(report.metrics[0]?.treatments[0]?.absolute).value).toBeCloseTo(35 / 2 - 10 / 3, 12);
    expect(defined(report.metrics[0]?.treatments[0]?.relative).value).toBeCloseTo(4.25, 12);
  });

  it('is the same of other names, formats and times, and of labels in the exposures', async () => {
    const folder = await temporaryFolder();
    const { settings } = await written({ exposures: shown, orders: bought });
    const { report } = await experimentReport(settings);
    const seconds = (text: string | number) => Date.parse(`${text}Z`) / 1000;
    const lines = shown.map(([, user, time, arm], row) =>
      JSON.stringify({ uid: user, ts: seconds(time!), variant: `v-${arm}`, hit: row === 1 ? 'yes' : 'no' }),
    );
    await writeFile(join(folder, 'shown.jsonl'), lines.join('\n'));
    const other = await experimentReport({
      ...settings,
      exposures: {
        path: join(folder, 'shown.jsonl'),
        ...{ user: 'uid', time: 'ts', arm: 'substr(variant, 3)', clicked: 'hit' },
      },
      orders: { path: settings.orders?.path ?? '', revenue: 'revenue::DOUBLE * 2' },
    });
    expect(other.report.arms.map(({ clicks, revenue }) => [clicks, revenue])).toEqual([
      [1, 20],
      [0, 70],
    ]);
    expect(other.report.arms.map(({ users }) => users)).toEqual(report.arms.map(({ users }) => users));
    expect(other.report.metrics.map(({ metric }) => metric)).toEqual(['gmv', 'orders', 'ctr']);
  });

  it('leaves out what is of no user of an arm, from before the exposure, or there twice, and counts it', async () => {
    const { settings } = await written({
      exposures: [
        ...shown,
        ['e4', 'c', '2024-03-01 12:00', 'images'],
        ['e8', 'm', '2024-03-01 12:00', 'images'],
        ['e9', 'm', '2024-03-02 12:00', 'control'],
      ],
      orders: [
        ...bought,
        ['o1', 'a', '2024-03-01 12:00', 10],
        ['o4', 'f', '2024-03-02 12:00', 1000],
        ['o5', 'nobody', '2024-03-02 12:00', 1000],
        ['o6', 'm', '2024-03-02 13:00', 1000],
        ['o7', 'a', '2024-03-02 13:00', -4],
      ],
    });
    const { report } = await experimentReport(settings);
    expect(report.arms).toMatchObject([
      { users: 3, exposures: 4, orders: 1, revenue: 6 },
      { users: 2, exposures: 3, orders: 2, revenue: 35 },
    ]);
    expect(report.mixedUsers).toBe(1);
    expect(report.findings.map(({ what, count }) => `${what}: ${count}`)).toEqual([
      'Rows of exposures.csv whose event came before, left out: 1',
      'Rows of orders.csv whose event came before, left out: 1',
      'Rows of orders.csv of users without an exposure, left out: 1',
      'Rows of orders.csv from before the first exposure of their user, left out: 1',
    ]);
  });

  it('refuses rows that cannot be used, naming why, and skips as many as are allowed', async () => {
    const { settings } = await written({
      exposures: [
        ...shown,
        ['e8', '', '2024-03-01', 'control'],
        ['e9', 'g', 'soon', 'control'],
        ['e10', 'h', '2024-03-01', 'imagse'],
      ],
      orders: [...bought, ['o4', 'a', '2024-03-02', 'much'], ['o5', 'a', '2024-03-02', '1e300']],
    });
    await expect(experimentReport(settings)).rejects.toMatchObject({
      code: 'TOO_MANY_BAD_ROWS',
      message: expect.stringMatching(
        /3 of 10 rows of exposures.csv .*empty user.*time is no time.*arm is no arm of the experiment \(1, such as row 10: imagse\)/,
      ),
    });
    const { report } = await experimentReport({ ...settings, maxBadRows: 0.5 });
    expect(report.arms.map(({ users, revenue }) => [users, revenue])).toEqual([
      [3, 10],
      [2, 35],
    ]);
    expect(report.findings.map(({ what }) => what)).toContain(
      'Rows of orders.csv skipped: revenue is no amount',
    );
  });

  it('of several experiments takes the rows of this one, and before it those of all', async () => {
    const folder = await temporaryFolder();
    const { settings } = await written({ exposures: shown, orders: bought });
    const rows: Rows = [
      ...shown.map((row) => [...row, 'images']),
      ['e20', 'a', '2024-03-01 10:00', 'other arm', 'another'],
      ['e21', 'a', '2024-02-20 10:00', '', ''],
    ];
    const path = join(folder, 'shown.csv');
    await writeFile(path, csv([[...exposureHead, 'experiment'], ...rows]));
    const { report } = await experimentReport({ ...settings, exposures: { path, experiment: 'experiment' } });
    expect(report.arms.map(({ exposures }) => exposures)).toEqual([4, 3]);
    expect(report.findings).toMatchObject([
      { what: 'Rows of shown.csv of other experiments, left out', count: 1 },
    ]);
    expect(report.daysBefore).toBe(28);
  });

  it('compares arms from the last step of the ramp on, and looks at nothing after `until`', async () => {
    const ramp = [
      { from: '2024-03-01', part: 0.2 },
      { from: '2024-03-02', part: 1 },
    ];
    const exposures = [
      ...shown,
      ['e8', 'a', '2024-03-02 10:00', 'images'],
      ['e9', 'z', '2024-03-09', 'control'],
    ];
    const { settings } = await written({
      definition: { ...tinyDefinition, ramp },
      exposures,
      orders: bought,
    });
    const { report } = await experimentReport({ ...settings, until: '2024-03-04' });
    expect(report.period).toEqual({
      start: '2024-03-01T00:00:00.000Z',
      from: '2024-03-02T00:00:00.000Z',
      until: '2024-03-04T00:00:00.000Z',
    });
    // a had control on the first day, and images from the ramp's last step on.
    expect(report.arms.map(({ users }) => users)).toEqual([1, 2]);
    expect(report.mixedUsers).toBe(0);
  });

  it.each([
    [{ definition: [] }, 'CONFIG_INVALID'],
    [{ definition: { ...tinyDefinition, start: '2024-04-01' } }, 'LOG_EMPTY'],
    [{ definition: { ...tinyDefinition, start: '2020-03-01' } }, 'LIMIT_EXCEEDED'],
    [{ orders: undefined }, 'CONFIG_INVALID'],
    [{ orders: [] }, 'LOG_EMPTY'],
  ])('%j is an error in words: %s', async (changes, code) => {
    const { settings } = await written({ exposures: shown, orders: bought, ...changes });
    await expect(experimentReport(settings)).rejects.toMatchObject({ name: 'CourierError', code });
  });
});

describe('files that are none', () => {
  it.each([
    ['exposures.parquet', 'not a Parquet file'],
    ['exposures.csv', '\u0000\u0001\u0002'],
    ['exposures.jsonl', '{"user": '],
    ['exposures.exe', 'MZ'],
  ])('are refused with their name: %s', async (name, content) => {
    const { folder, settings } = await written({ exposures: shown, orders: bought });
    const path = join(folder, 'others', name);
    await mkdir(join(folder, 'others'));
    await writeFile(path, content);
    await expect(experimentReport({ ...settings, exposures: { path } })).rejects.toMatchObject({
      name: 'CourierError',
      message: expect.stringContaining(name),
    });
  });

  it('a query that would write or look elsewhere is refused', async () => {
    const { folder, settings } = await written({ exposures: shown, orders: bought });
    const path = `SELECT * FROM read_csv('/etc/pass*d')`;
    await expect(
      experimentReport({ ...settings, exposures: { path: `${path}; DROP TABLE x` } }),
    ).rejects.toThrow();
    const arm = `(SELECT 1); COPY (SELECT 1) TO '${join(folder, 'written.csv')}'`;
    const exposures = { ...settings.exposures, arm };
    await expect(experimentReport({ ...settings, exposures })).rejects.toMatchObject({
      code: 'COLUMN_MISSING',
    });
    await expect(readFile(join(folder, 'written.csv'))).rejects.toThrow();
  });
});

describe('courier experiment report', () => {
  it('finds a lift that is there at any look, and ends with its figures as JSON', async () => {
    const folder = await temporaryFolder();
    const { definition, exposures, clicks, orders } = await writeTinyExperiment(folder, { lift: 0.8 });
    const out = join(folder, 'out');
    const files = ['--exposures', exposures, '--clicks', clicks, '--orders', orders];
    const ran = await courier(
      'experiment',
      'report',
      '--definition',
      definition,
      ...files,
      '--out',
      out,
      '--json',
    );
    expect(ran.stderr).toMatch(/images raises GMV a user: \+\d+\.\d\d % \(95 % interval for every look/);
    expect(ran.json).toMatchObject({ ok: true, days: 14, sampleRatio: { isMismatch: false } });
    const report: ExperimentReport = JSON.parse(await readFile(join(out, 'report.json'), 'utf8'));
    const [gmv] = report.metrics;
    const treatment = gmv?.treatments[0];
    expect(defined(treatment?.sequential).pCorrected).toBeLessThan(0.05);
    expect(treatment?.course).toHaveLength(14);
    expect(treatment?.course.at(-1)?.p).toBe(defined(treatment?.sequential).p);
    expect(defined(treatment?.cuped?.varianceReduction)).toBeGreaterThan(0);
    expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('images raises GMV a user');
  });

  it('is loud where an arm has lost users: the headline says so, and no lift', async () => {
    const folder = await temporaryFolder();
    const { definition, exposures, orders } = await writeTinyExperiment(folder, { lift: 0.8, lost: 0.3 });
    const out = join(folder, 'out');
    const words = ['--definition', definition, '--exposures', exposures, '--orders', orders, '--out', out];
    const { stdout } = await courier('experiment', 'report', ...words);
    expect(stdout).toMatch(/^Sample ratio mismatch \(p < 0\.001\): control has \d+ users/);
    expect(stdout).toContain('No lift below can be believed.');
    expect(stdout).not.toContain('raises');
    const heading = parseHTML(await readFile(join(out, 'report.html'), 'utf8')).document.querySelector('h1');
    expect(heading?.textContent).toContain('Sample ratio mismatch');
  });

  it('looked at once before the planned end says that it is too early', async () => {
    const folder = await temporaryFolder();
    const { definition, exposures, orders } = await writeTinyExperiment(folder);
    const out = join(folder, 'out');
    const words = ['--definition', definition, '--exposures', exposures, '--orders', orders, '--out', out];
    const early = await courier('experiment', 'report', ...words, '--looks', 'once', '--until', '2024-03-05');
    expect(early.stdout).toContain(
      'Warning: Day 4 of 14 planned: the test of a single look holds at the planned end',
    );
    expect(early.stdout).toContain('95 % interval of one look');
    const late = await courier('experiment', 'report', ...words, '--looks', 'once');
    expect(late.stdout).not.toContain('Warning');
  });
});

describe('the page of an experiment', () => {
  it.each(['<script>alert(1)</script>', '"><img src=x onerror="a">', "</style>' onload='a", '\u202e\u0000`'])(
    'has the same elements and attributes whatever arms and experiment are called: %s',
    async (hostile) => {
      const structure = (page: string) =>
        Array.from(parseHTML(page).document.querySelectorAll('*'), (element: Element) =>
          [element.tagName, ...element.getAttributeNames()].join(' '),
        );
      const report = await reported({ users: 300 });
      const named = (name: string): ExperimentReport => ({
        ...report,
        name,
        command: name,
        arms: report.arms.map((arm) => ({ ...arm, name })),
        metrics: report.metrics.map((metric) => ({
          ...metric,
          treatments: metric.treatments.map((treatment) => ({ ...treatment, arm: name })),
        })),
      });
      const page = experimentPage(named(hostile));
      expect(structure(page)).toEqual(structure(experimentPage(named('plain'))));
      for (const text of ['alert(1)</script', '<img src=x', '\u202e']) expect(page).not.toContain(text);
    },
  );
});

/** The part of a parsed page used here. */
interface Element {
  readonly tagName: string;
  getAttributeNames(): string[];
}

describe('courier experiment power', () => {
  it('says how many users an arm needs, looked at once and daily', async () => {
    const words = ['--mean', '20', '--sd', '60', '--lift', '0.01', '--users', '100000'];
    const { stdout, json } = await courier('experiment', 'power', ...words, '--json');
    expect(stdout).toContain('"ok":true');
    expect(json).toMatchObject({
      baseline: { mean: 20, sd: 60, users: null },
      plain: {
        fixed: { usersPerArm: expect.closeTo(1_426_994, -1) },
        sequential: { usersPerArm: expect.any(Number) },
      },
      cuped: null,
    });
  });

  it('takes mean, spread and what the time before explains from files of a time without an experiment', async () => {
    const folder = await temporaryFolder();
    const { exposures, orders } = await writeTinyExperiment(folder);
    const result = await experimentPower({
      ...{ exposures: { path: exposures }, orders: { path: orders }, lift: 0.05, days: 14, daysBefore: 14 },
    });
    const { report } = await experimentReport({
      ...{
        definition: join(folder, 'experiment.json'),
        exposures: { path: exposures },
        orders: { path: orders },
      },
      ...{ out: join(folder, 'out') },
    });
    const users = report.arms.reduce((sum, arm) => sum + arm.users, 0);
    const revenue = report.arms.reduce((sum, arm) => sum + arm.revenue, 0);
    // The window ends with the last exposure, an hour or two before the end of the last day.
    expect(Math.abs(result.baseline.mean / (revenue / users) - 1)).toBeLessThan(0.05);
    expect(result.baseline.explained).toBeGreaterThan(0.02);
    expect(result.cuped?.fixed.usersPerArm).toBeLessThan(result.plain.fixed.usersPerArm);
  });

  it.each([
    [{ lift: 0.01 }, /either `mean` and `sd`, or a baseline/],
    [{ lift: 0.01, mean: 1 }, /either `mean` and `sd`, or a baseline/],
    [{ lift: 0, mean: 1, sd: 1 }, /`lift`/],
  ])('refuses %j', async (settings, message) => {
    await expect(experimentPower(settings)).rejects.toThrow(message);
  });
});
