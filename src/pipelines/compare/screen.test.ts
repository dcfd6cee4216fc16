import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defined } from '../../../test/support/measured.ts';
import { courier } from '../../../test/support/terminal.ts';
import {
  relabelledDataset,
  tinyDataset,
  tinyPretraining,
  writeRandomEmbeddings,
} from '../../../test/support/tiny-dataset.ts';
import { loadDataset } from '../../data/store.ts';
import { loadItemEmbeddings } from '../../evaluation/visual-inputs.ts';
import { simScoreValue } from '../../features/sim-score.ts';
import { known } from '../../metrics/measured.ts';
import { rowsOfSplit } from '../../rankers/fields.ts';
import type { Report } from '../../report/report.ts';
import { screeningSentence } from '../../report/screening.ts';
import { exists } from '../../storage/files.ts';
import type { CompareConfigInput } from './config.ts';
import { compare } from './index.ts';

describe('a comparison that screens its sources', () => {
  let folder: string;
  let dataset: string;
  let knowing: string;
  const settings = {
    sources: ['courier', 'hog', 'pixel-pca'],
    seeds: [1, 2],
    starts: ['warm'],
    pretrain: { ...tinyPretraining, steps: 4 },
    choices: [{}],
    diagnosis: false,
    examples: 0,
    parallel: 1,
  } satisfies Partial<CompareConfigInput>;

  /** In the validation period users click what is near their history by `knowing`, and nothing else. */
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    const plain = await tinyDataset(folder);
    knowing = join(folder, 'knowing.parquet');
    await writeRandomEmbeddings(plain, knowing);
    const loaded = await loadDataset(plain);
    const scoreOf = simScoreValue(loaded, await loadItemEmbeddings(loaded, knowing));
    const scores = Array.from(rowsOfSplit(loaded, 'validation'), (row) => scoreOf(row) ?? -2).sort(
      (a, b) => a - b,
    );
    const median = scores[Math.floor(scores.length / 2)]!;
    const near = (_: number, row: number) => Number((scoreOf(row) ?? -2) >= median);
    dataset = await relabelledDataset(plain, 'validation', near, join(folder, 'relabelled'));
    loaded.images.close();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const rowOf = ({ rows }: Report, name: string | null) => {
    const { lifts, ...row } = rows.find(
      ({ source, features }) => source === name && features !== 'without-learning',
    )!;
    // The p-value is corrected for the rows that stand beside it, and costs are of the clock.
    return { ...row, cost: null, lift: lifts && { ...lifts.auc, pCorrected: null } };
  };

  it('trains no rankers for what is left out, names it with its figure, and changes no row that is kept', async () => {
    const out = join(folder, 'screened');
    const input = { ...settings, embeddings: { knowing }, dataset };
    const screen = { keep: 1, always: ['hog'] };
    const { report } = await compare({ ...input, screen, out });
    expect(report.failures).toEqual([]);
    const { screening } = report;
    const verdicts = new Map(screening?.sources.map(({ source, verdict }) => [source, verdict]));
    expect(Object.fromEntries(verdicts)).toEqual({
      knowing: 'best',
      hog: 'asked for',
      courier: 'left out',
      'pixel-pca': 'left out',
    });
    expect(screening?.sources[0]?.source).toBe('knowing');
    for (const { source, simScoreAuc, behind } of screening?.sources ?? []) {
      if (source === 'knowing') expect(defined(simScoreAuc)).toBeGreaterThan(0.99);
      else expect(defined(behind?.ci95)[1]).toBeLessThan(0);
    }
    expect(report.rows.map(({ source }) => source)).toEqual([null, null, 'hog', 'knowing']);
    const rankers = await readdir(join(out, 'rankers'));
    expect(rankers.filter((file) => /courier|pixel-pca/.test(file))).toEqual([]);
    // Nor is another seed of it trained; the first was, to be looked at.
    expect(await exists(join(out, 'courier', 'seed-1', 'embeddings.parquet'))).toBe(true);
    expect(await exists(join(out, 'courier', 'seed-2'))).toBe(false);
    expect(screeningSentence(report)).toMatch(/Left out, without rankers: .*COURIER \(0\.\d+\)/);

    const whole = await compare({ ...input, out: join(folder, 'whole') });
    expect(whole.report.screening).toBeNull();
    for (const name of [null, 'hog', 'knowing'])
      expect(rowOf(report, name)).toEqual(rowOf(whole.report, name));
    const lifts = ({ rows }: Report) => rows.flatMap(({ lifts }) => lifts?.auc ?? []);
    expect([lifts(report).length, lifts(whole.report).length]).toEqual([2, 4]);
    for (const { p, pCorrected } of lifts(report))
      expect(known(pCorrected) ?? 0).toBeLessThanOrEqual(2 * (known(p) ?? 0) + 1e-12);

    // Without screening, the same run goes on with what was left out.
    const { report: all } = await compare({ ...input, out });
    const figures = (one: Report) => one.rows.map(({ source }) => rowOf(one, source));
    expect(figures(all)).toEqual(figures(whole.report));
  });

  it('is asked for by a number of sources, or by none of its own', async () => {
    const words = ['compare', '--json', '--dataset', dataset, '--sources', 'hog,pixel-pca', '--seeds', '1'];
    const rest = [
      '--embeddings',
      `knowing=${knowing}`,
      '--set',
      'choices=[{}]',
      '--set',
      'starts=["warm"]',
      '--set',
      'diagnosis=false',
    ];
    const one = await courier(...words, ...rest, '--screen', '1', '--out', join(folder, 'one'));
    expect(one.exitCode).toBe(0);
    expect(one.json).toMatchObject({ screening: { keep: 1 } });
    expect(one.stderr).toContain('Left out, without rankers: ');
    const three = await courier(...words, ...rest, '--screen', '--out', join(folder, 'three'));
    expect(three.json).toMatchObject({ screening: { keep: 3 } });
    expect(three.stderr).toContain('None was left out.');
    const bad = await courier(...words, ...rest, '--screen', 'few', '--out', join(folder, 'bad'));
    expect(bad.json).toMatchObject({ error: { code: 'CONFIG_INVALID' } });
  });
});
