import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gap } from '../../../test/support/measured.ts';
import { courier } from '../../../test/support/terminal.ts';
import { relabelledDataset, tinyDataset, writeRandomEmbeddings } from '../../../test/support/tiny-dataset.ts';
import type { Report } from '../../report/report.ts';

describe('courier rank on a split that does not define every figure', () => {
  let folder: string;
  let dataset: string;
  const at = (...parts: string[]) => join(folder, ...parts);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    await writeRandomEmbeddings(dataset, at('e.parquet'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function rank(data: string, out: string, ...settings: string[]) {
    const small = ['choices=[{}]', 'starts=["warm"]', ...settings];
    return courier(
      ...['rank', '--json', '--dataset', data, '--out', at(out), '--embeddings', at('e.parquet')],
      ...['--features', 'sim-score', ...small.flatMap((setting) => ['--set', setting])],
    );
  }

  async function reportOf(out: string): Promise<Report> {
    return JSON.parse(await readFile(at(out, 'report.json'), 'utf8'));
  }

  it('ends with a report in which GAUC and NDCG are gaps where no test user has both classes, and again on resuming', async () => {
    const data = await relabelledDataset(dataset, 'test', (user) => user % 2, at('by-user'));
    const first = await rank(data, 'gauc', 'diagnosis=false');
    expect(first.exitCode).toBe(0);
    const { rows } = await reportOf('gauc');
    for (const row of rows) {
      expect(row).toMatchObject({ auc: { kind: 'value' }, ndcg: { kind: 'undefined' } });
      expect(row.gauc).toMatchObject({
        kind: 'undefined',
        why: expect.stringContaining('GAUC is undefined'),
      });
    }
    expect(rows.at(-1)?.lifts?.auc).toMatchObject({ ci95: { kind: 'value' }, pCorrected: { kind: 'value' } });
    expect(first.stderr).toContain('Rank: 2 rankers');
    expect(first.stderr).toMatch(/Why figures are missing:\n {2}GAUC is undefined: none of \d+ groups/);
    const second = await rank(data, 'gauc', 'diagnosis=false');
    expect(second.exitCode).toBe(0);
    expect(second.stderr).not.toContain('Rank: ');
    expect((await reportOf('gauc')).rows).toEqual(rows);
  });

  it('ends with a report without any AUC where every test exposure is clicked', async () => {
    const data = await relabelledDataset(dataset, 'test', () => 1, at('clicked'));
    const ran = await rank(data, 'auc', 'diagnosis=false');
    expect(ran.exitCode).toBe(0);
    const why = 'AUC is undefined: every row is clicked.';
    const { rows } = await reportOf('auc');
    expect(rows.map(({ auc, lifts }) => [auc, lifts?.auc.difference])).toEqual([
      [gap(why), undefined],
      [gap(why), undefined],
      [gap(why), gap(why)],
    ]);
    expect(await readFile(at('auc', 'report.md'), 'utf8')).toContain('add to test AUC cannot be told');
    expect(await readFile(at('auc', 'report.html'), 'utf8')).toContain(`<abbr title="${why}">–</abbr>`);
  });

  it('ends with a report that says how weights were kept where nothing is clicked in validation', async () => {
    const data = await relabelledDataset(dataset, 'validation', () => 0, at('unclicked'));
    const first = await rank(data, 'validation');
    expect(first.exitCode).toBe(0);
    const { rows, diagnosis, curves } = await reportOf('validation');
    const why = 'AUC is undefined: no row is clicked.';
    for (const row of rows) expect(row).toMatchObject({ auc: { kind: 'value' }, validationAuc: gap(why) });
    expect(diagnosis).toMatchObject({
      features: 'sim-score',
      importance: gap(why),
      reliability: { kind: 'value' },
      withoutCategories: gap(why),
    });
    expect(curves).toEqual([]);
    expect(first.stderr).toContain('Diagnose: 2 parts');
    expect(first.stderr).toContain(
      `Validation split: ${why} Every ranker kept the weights of its last step.`,
    );
    const second = await rank(data, 'validation');
    expect([second.exitCode, await reportOf('validation')]).toMatchObject([0, { diagnosis }]);
    expect(second.stderr).not.toMatch(/(Rank|Diagnose): /);
  });

  it('refuses a training split of one class before anything is trained', async () => {
    const data = await relabelledDataset(dataset, 'train', () => 0, at('untrained'));
    const ran = await rank(data, 'train');
    expect([ran.exitCode, ran.json]).toMatchObject([1, { error: { code: 'SPLIT_EMPTY' } }]);
    expect(ran.stderr).toContain('a ranker learns from both');
  });
});
