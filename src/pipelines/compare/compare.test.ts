import { rmSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { timesBelow } from '../../../test/support/file-times.ts';
import { defined } from '../../../test/support/measured.ts';
import { courier } from '../../../test/support/terminal.ts';
import { tinyDataset, tinyPretraining } from '../../../test/support/tiny-dataset.ts';
import { featureNames } from '../../features/index.ts';
import { type ProgressEvent, silent } from '../../progress.ts';
import type { Report, ReportRow } from '../../report/report.ts';
import { manifestFile } from '../../runs/run-folder.ts';
import { exists } from '../../storage/files.ts';
import type { CompareConfigInput } from './config.ts';
import { compare } from './index.ts';

describe('courier compare', () => {
  let folder: string;
  let dataset: string;
  let config: string;
  const settings = {
    sources: ['courier', 'hog'],
    seeds: [1, 2],
    starts: ['warm'],
    pretrain: { ...tinyPretraining, steps: 4 },
    choices: [{}],
    diagnosis: false,
    examples: 1,
  } satisfies Partial<CompareConfigInput>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    config = join(folder, 'config.json');
    await writeFile(config, JSON.stringify(settings));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const run = (out: string, ...words: string[]) =>
    courier('compare', '--json', '--config', config, '--dataset', dataset, '--out', out, ...words);

  /** Something that no training can go on from. */
  async function obstruct(out: string, seed: number): Promise<string> {
    const own = join(out, 'courier', `seed-${seed}`);
    await mkdir(own, { recursive: true });
    await writeFile(join(own, manifestFile), '{}');
    return join(own, manifestFile);
  }

  it('opens the dataset once: it may be gone as soon as something is computed', async () => {
    const copied = join(folder, 'copied');
    await cp(dataset, copied, { recursive: true });
    const progress = (event: ProgressEvent) => {
      if (event.kind === 'start') rmSync(copied, { recursive: true, force: true });
    };
    const once = { ...settings, sources: settings.sources.slice(0, 1), seeds: [1], examples: 0 };
    const out = join(folder, 'once');
    const { report } = await compare({ ...once, dataset: copied, out }, { progress });
    expect(await exists(copied)).toBe(false);
    expect([report.rows.length, report.failures]).toEqual([3, []]);
  });

  it('has a row for every way of feeding images', async () => {
    const out = join(folder, 'every');
    const codes = { clusters: [4], semanticLevels: 2, semanticCodes: 4 };
    const features = [...featureNames];
    const one = { ...settings, seeds: [1], examples: 0, codes, features };
    const { report } = await compare({ ...one, sources: ['hog'], dataset, out });
    expect(report.failures).toEqual([]);
    const rows = report.rows.filter(({ source }) => source === 'hog');
    expect(rows.map((row) => row.features)).toEqual(features);
    for (const row of rows) expect(defined(row.auc).mean).toBeGreaterThan(0);
  });

  it('refuses nearness to a ranker without attention before anything is computed', async () => {
    const out = join(folder, 'mlp');
    const ran = await run(out, '--features', 'sim-score+attention-cosine', '--set', 'ranker.ranker=deepfm');
    expect([ran.exitCode, ran.json]).toMatchObject([1, { error: { code: 'CONFIG_INVALID' } }]);
    expect(await exists(out)).toBe(false);
  });

  it('plans without writing, and says what it cannot know instead of inventing it', async () => {
    const out = join(folder, 'planned');
    const ran = await run(out, '--plan');
    expect(ran.exitCode).toBe(0);
    expect(ran.json).toMatchObject({
      ok: true,
      plan: {
        estimate: {
          seconds: 0,
          known: 0,
          unknown: [
            'courier',
            'hog',
            'none, to go on from',
            'rankers of none, warm',
            'rankers of sim-score, warm',
          ],
        },
      },
    });
    // Two seeds of COURIER, HOG once, rankers to go on from and three rows of rankers for two seeds.
    expect(ran.json).toHaveProperty('plan.tasks.length', 11);
    expect(ran.stderr).toContain('to compute: courier (seeds 1, 2); hog');
    expect(await exists(out)).toBe(false);
  });

  it('refuses more clusters than there are items with photos before anything is computed', async () => {
    const out = join(folder, 'clusters');
    const words = ['--features', 'sim-score+cluster-id', '--set', 'codes.clusters=[4,9999]'];
    for (const plan of [['--plan'], []]) {
      const ran = await run(out, ...words, ...plan);
      expect([ran.exitCode, ran.json]).toMatchObject([1, { error: { code: 'CONFIG_INVALID' } }]);
      expect(ran.stderr).toContain('codes.clusters asks for 9999 clusters');
    }
    expect(await exists(out)).toBe(false);
  });

  it('refuses what is named twice, which two trainings would write at once', async () => {
    for (const words of [
      ['--seeds', '1,1'],
      ['--sources', 'hog,hog'],
      ['--features', 'vector,vector'],
    ]) {
      const ran = await run(join(folder, 'twice'), ...words);
      expect([ran.exitCode, ran.json]).toMatchObject([1, { error: { code: 'CONFIG_INVALID' } }]);
      expect(ran.stderr).toContain('names something twice');
    }
  });

  it('goes on where a source fails, names it, and computes only that when called again', async () => {
    const out = join(folder, 'failing');
    const obstacle = await obstruct(out, 1);
    const first = await run(out);
    expect(first.exitCode).toBe(0);
    expect(first.json).toMatchObject({
      failures: [{ stage: 'embed', source: 'courier', features: null, seed: 1, code: 'FILE_CORRUPT' }],
    });
    expect(first.stderr.trimEnd().split('\n').at(-1)).toBe(
      'Failed: COURIER, seed 1. Run the same command again to try only these.',
    );
    const rowsOf = ({ json }: typeof first) => json['rows'] as readonly ReportRow[];
    const seeds = (ran: typeof first) => rowsOf(ran).map(({ source, seeds }) => [source, seeds]);
    expect(seeds(first)).toEqual([
      [null, []],
      [null, [1, 2]],
      ['courier', [2]],
      ['hog', [1, 2]],
    ]);

    await rm(obstacle);
    const before = await timesBelow(out);
    const plan = await run(out, '--plan');
    expect(plan.json).toMatchObject({ plan: { estimate: { known: 2, unknown: [] } } });
    expect(plan.stderr).toContain('to compute: courier (seed 1)');
    const second = await run(out);
    expect(second.json).toMatchObject({ failures: [], versusBestOther: [{ start: 'warm', seeds: [1, 2] }] });
    expect(seeds(second)[2]).toEqual(['courier', [1, 2]]);
    expect(second.stderr.match(/: Pre-train: 4 steps/gm)).toHaveLength(1);
    expect(second.stderr).toContain('Rank: 1 ranker\n');
    const after = await timesBelow(out);
    const changed = Object.keys(before).filter((path) => before[path] !== after[path]);
    expect(changed.filter((path) => !/^(costs\.json|report\.\w+)$/.test(path))).toEqual([]);

    const row = rowsOf(second)[2];
    // Two seeds of four steps.
    expect(row?.cost?.images).toBeGreaterThan(2 * 4 * 16);
    expect(row?.cost?.embeddingSeconds).toBeGreaterThan(0);
    expect(row?.cost?.peakMemoryBytes).toBeGreaterThan(2 ** 20);

    const third = await run(out);
    expect(third.stderr).toContain('Plan: nothing is left to compute');
    expect(third.stderr).not.toMatch(/^(.*: )?(Pre-train|Rank|Embed)/m);
    const last = await timesBelow(out);
    const touched = Object.keys(after).filter((path) => after[path] !== last[path]);
    expect(touched.filter((path) => !path.startsWith('report.'))).toEqual([]);

    // Without a ranker to compare with, nothing of its seed can be compared.
    await writeFile(join(out, 'rankers', 'none-warm-seed-1.safetensors'), 'damaged');
    const damaged = await run(out);
    expect([damaged.exitCode, damaged.json]).toMatchObject([
      0,
      { failures: [{ stage: 'rank', source: null, seed: 1, start: 'warm', code: 'FILE_CORRUPT' }] },
    ]);
    expect(seeds(damaged)).toEqual([
      [null, []],
      [null, [2]],
      ['courier', [2]],
      ['hog', [2]],
    ]);
  });

  it('fails where nothing but the ranker without images is left', async () => {
    const out = join(folder, 'hopeless');
    await obstruct(out, 1);
    const alone = await run(out, '--sources', 'courier', '--set', 'seeds=[1]');
    expect([alone.exitCode, alone.json]).toMatchObject([1, { error: { code: 'COMPARISON_FAILED' } }]);
    expect(alone.stderr).toContain('courier, seed 1 (embed, FILE_CORRUPT)');
  });

  it('recomputes nothing that was finished when it was interrupted', async () => {
    const out = join(folder, 'interrupted');
    const input = {
      ...settings,
      sources: ['hog', 'pixel-pca'],
      seeds: [1],
      dataset,
      out,
    } satisfies CompareConfigInput;
    const options = { title: 'test', command: 'test' };
    const stop = new AbortController();
    const stopping = (event: ProgressEvent) => {
      if (event.kind === 'advance' && event.stage === 'Rank' && event.done === 2) stop.abort();
    };
    // What is not learned may be another when it goes on: how often training is saved, what the report looks into.
    const other = { ...input, pretrain: { ...settings.pretrain, checkpointEvery: 3 }, diagnosis: true };
    const interrupted = compare(other, { ...options, progress: stopping, signal: stop.signal });
    await expect(interrupted).rejects.toMatchObject({ name: 'AbortError' });
    const before = await timesBelow(out);
    const advances: string[] = [];
    const listen = (event: ProgressEvent) => {
      if (event.kind === 'advance') advances.push(event.stage);
    };
    const { report } = await compare(input, { ...options, progress: listen });
    // Three rows, less the two that were there; the table itself is made anew each time.
    expect(advances.filter((stage) => stage !== 'Measure')).toEqual(['Rank']);
    expect(report.failures).toEqual([]);
    const after = await timesBelow(out);
    expect(Object.keys(before).some((path) => path.includes('base-seed-1'))).toBe(true);
    const changed = Object.keys(before).filter((path) => before[path] !== after[path]);
    expect(changed.filter((path) => path !== 'costs.json')).toEqual([]);

    const whole = await compare({ ...input, out: join(folder, 'whole') }, { ...options, progress: silent });
    const figures = ({ rows }: Report) => rows.map((row) => ({ ...row, cost: null }));
    expect(figures(report)).toEqual(figures(whole.report));
  });

  it('comes to the same table with several trainings at a time', async () => {
    const input = {
      ...settings,
      pretrain: { ...settings.pretrain, firstStage: { steps: 2, batchSize: 4 } },
      dataset,
    };
    const options = { title: 'test', command: 'test' };
    const heard: string[] = [];
    const listen = (event: ProgressEvent) => {
      if (event.kind !== 'note') heard.push(event.stage.split(':')[0]!);
    };
    const both = { ...input, parallel: 2, out: join(folder, 'both') };
    const { report } = await compare(both, { ...options, progress: listen });
    const alone = await compare(
      { ...input, parallel: 1, out: join(folder, 'alone') },
      { ...options, progress: silent },
    );
    expect(heard.indexOf('courier, seed 2')).toBeLessThan(heard.lastIndexOf('courier, seed 1'));
    expect([report.failures, alone.report.failures]).toEqual([[], []]);
    const named = ({ rows }: Report) => rows.map(({ source, seeds }) => ({ source, seeds }));
    expect(named(report)).toEqual(named(alone.report));
    for (const [place, { auc }] of report.rows.entries())
      expect(defined(auc).mean).toBeCloseTo(defined(alone.report.rows[place]?.auc).mean, 3);
  });
});
