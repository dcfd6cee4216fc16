import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defined, value } from '../../../test/support/measured.ts';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { courier } from '../../../test/support/terminal.ts';
import { tinyPretraining } from '../../../test/support/tiny-dataset.ts';
import type { ExperimentResult } from '../../pipelines/experiment/index.ts';
import type { ProgressEvent } from '../../progress.ts';
import { experimentPage } from '../../report/experiment-page.ts';
import { writeJson } from '../../storage/files.ts';
import type { LiveConfigInput } from './config.ts';
import { demoLive } from './index.ts';

const small = {
  shop: { items: 60, shoppers: 40, pageViews: 240, photoSide: 16 },
  side: 16,
  pretrain: { ...tinyPretraining, steps: 2 },
  ranker: { epochs: 1 },
  choices: [{}],
  ...{ days: 2, pageViews: 120, candidates: 8, shown: 3, newItems: 4 },
} satisfies LiveConfigInput;

/** Rows of all files of a kind that the server kept. */
async function recorded(out: string, kind: string): Promise<readonly Record<string, unknown>[]> {
  const folder = join(out, 'visits', 'outcomes', kind);
  const texts = await Promise.all(
    (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
  );
  return texts
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('the live demo', () => {
  let folder: string;
  let out: string;
  let result: ExperimentResult;
  const addresses: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    out = join(folder, 'live');
    const stop = new AbortController();
    const progress = (event: ProgressEvent) => {
      if (event.kind === 'note') addresses.push(event.text.replace(/.* /, ''));
      if (event.kind === 'advance' && event.stage === 'Simulate shoppers' && event.done > 40)
        stop.abort(new Error('stopped'));
    };
    await expect(demoLive({ ...small, out }, { progress, signal: stop.signal })).rejects.toThrow();
    await expect(fetch(`${addresses[0]}/healthz`)).rejects.toThrow();
    result = await demoLive({ ...small, out });
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('reports what the server recorded of both arms, all of it', async () => {
    const { report } = result;
    const [shown, clicks, orders] = await Promise.all(
      ['exposures', 'clicks', 'orders'].map((kind) => recorded(out, kind)),
    );
    expect(shown).toHaveLength(3 * 120);
    expect(report.rows).toEqual({
      exposures: shown?.length,
      clicks: clicks?.length,
      orders: orders?.length,
    });
    expect(report.arms.map(({ name }) => name)).toEqual(['control', 'images']);
    for (const { name, exposures } of report.arms) {
      expect(exposures).toBe(shown?.filter(({ arm }) => arm === name).length);
      expect(exposures).toBeGreaterThan(0);
    }
    expect(report).toMatchObject({ days: 2, mixedUsers: 0, findings: [] });
  });

  it('shows new items on the day on which they come, and counts what happens by their age', () => {
    const ages = new Map(result.report.simulation?.ages.map((age) => [age.name, age]));
    const exposures = (name: string) =>
      ages.get(name)?.arms.reduce((sum, each) => sum + each.exposures, 0) ?? 0;
    expect(exposures('new, first day')).toBeGreaterThan(0);
    expect(exposures('new, days 2 to 3')).toBeGreaterThan(0);
    expect(exposures('new, all')).toBe(exposures('new, first day') + exposures('new, days 2 to 3'));
    expect(exposures('new, all') + exposures('on sale before')).toBe(3 * 120);
  });

  it('knows what was to be had: more in the order of taste than as items are drawn', () => {
    const { simulation } = result.report;
    expect(simulation?.ideal).toBeGreaterThan(1.3 * (simulation?.unranked ?? 1));
    expect(simulation?.ideal).toBeLessThan(0.9);
  });

  it('writes a page with the arms on new items, and a picture of them once there are users enough', async () => {
    const simulationOf = (page: string) =>
      parseHTML(page).document.querySelector('#simulation')?.outerHTML ?? '';
    const small = parseHTML(simulationOf(await readFile(result.html, 'utf8'))).document;
    expect(small.querySelectorAll('tbody tr')).toHaveLength(4);
    expect(small.querySelectorAll('svg')).toHaveLength(0);
    const arm = { exposures: 100, clicks: 30, ctr: value({ value: 0.3, ci95: [0.2, 0.4] as const }) };
    const lift = value({ value: 0, standardError: 0.1, ci95: [-0.2, 0.2] as const });
    const ages = ['on sale before', 'new, all'].map((name) => ({ name, arms: [arm, arm], lifts: [lift] }));
    const large = experimentPage({ ...result.report, simulation: { unranked: 0.1, ideal: 0.5, ages } });
    expect(parseHTML(simulationOf(large)).document.querySelectorAll('svg circle')).toHaveLength(4);
  });

  it('finds no lift where both arms serve the same, and says the same again', async () => {
    const config = join(await temporaryFolder(), 'live.json');
    await writeJson(config, { ...small, pageViews: 200 });
    const same = join(await temporaryFolder(), 'same');
    const words = ['demo', '--live', '--json', '--config', config, '--set', 'features=none', '--out', same];
    const ran = await courier(...words);
    expect(ran).toMatchObject({ exitCode: 0, json: { ok: true } });
    const report = JSON.parse(await readFile(String(ran.json['report']), 'utf8'));
    for (const { treatments } of report.metrics) {
      const [low, high] = defined<{ ci95: [number, number] }>(treatments[0].relative).ci95;
      expect(low).toBeLessThan(0);
      expect(high).toBeGreaterThan(0);
    }
    expect(ran.stderr).toMatch(/cannot be told/);
    const again = await courier(...words);
    expect(again.json).toMatchObject({ arms: ran.json['arms'], simulation: ran.json['simulation'] });
  });

  it('refuses to show more than it scores', async () => {
    await expect(demoLive({ ...small, out, shown: 9 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
