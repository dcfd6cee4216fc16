import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { courier } from '../../../test/support/terminal.ts';
import { relabelledDataset, tinyDataset, tinyPretraining } from '../../../test/support/tiny-dataset.ts';
import { unsaved } from '../../../test/support/unsaved-dataset.ts';
import { splits } from '../../data/dataset.ts';
import { loadDataset, writeDataset } from '../../data/store.ts';
import type { ProgressEvent } from '../../progress.ts';
import { rowsOfSplit } from '../../rankers/fields.ts';
import { exists } from '../../storage/files.ts';
import type { Trial } from '../../training/search/log.ts';
import { bestSettingsFile, plannedRounds, searchLogFile } from '../../training/search/search.ts';
import { compareConfig } from '../compare/config.ts';
import type { TuneConfigInput } from './config.ts';
import { tune } from './index.ts';

describe('courier tune', () => {
  let folder: string;
  let dataset: string;
  /** A search that nothing disturbed. */
  let whole: string;
  const settings = {
    budget: 3,
    pretrain: { ...tinyPretraining, steps: 6 },
    space: { batchSize: [8, 16], patch: [4, 8], candidates: [2, 3] },
  } satisfies Partial<TuneConfigInput>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    whole = join(folder, 'whole');
    await tune({ ...settings, dataset, out: whole });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function linesOf(out: string): Promise<readonly Trial[]> {
    const text = await readFile(join(out, searchLogFile), 'utf8');
    return text
      .trimEnd()
      .split('\n')
      .map((line): Trial => JSON.parse(line));
  }

  const untimed = (lines: readonly Trial[]) => lines.map((line) => ({ ...line, seconds: 0 }));

  it('trains all shortly, and the best of them to the end', async () => {
    const lines = await linesOf(whole);
    expect(lines.map(({ round, steps }) => [round, steps])).toEqual([
      [0, 2],
      [0, 2],
      [0, 2],
      [1, 6],
    ]);
    const best = Math.max(...lines.slice(0, 3).map(({ score }) => score ?? 0));
    expect(lines.find(({ trial }) => trial === lines[3]?.trial)?.score).toBe(best);
    expect(await exists(join(whole, 'trials', 'round-0-trial-0'))).toBe(false);
  });

  it('shares the steps out so that every round costs about the same', () => {
    expect(plannedRounds({ budget: 9, reduction: 3, pretrain: { steps: 300 } })).toEqual([
      { trials: 9, steps: 33 },
      { trials: 3, steps: 100 },
      { trials: 1, steps: 300 },
    ]);
    expect(plannedRounds({ budget: 2, reduction: 3, pretrain: { steps: 300 } })).toEqual([
      { trials: 2, steps: 300 },
    ]);
  });

  it('goes on where it was stopped, even within a line, to the same log and settings', async () => {
    const out = join(folder, 'resumed');
    const stop = new AbortController();
    const stopping = (event: ProgressEvent) => {
      if (event.kind === 'advance' && event.stage === 'Tune') stop.abort();
    };
    await expect(
      tune({ ...settings, dataset, out }, { progress: stopping, signal: stop.signal }),
    ).rejects.toThrow();
    const first = await readFile(join(out, searchLogFile), 'utf8');
    await writeFile(join(out, searchLogFile), `${first}{"round": 0, "tri`);
    let trainings = 0;
    const listen = (event: ProgressEvent) => {
      if (event.kind === 'start' && event.stage === 'Pre-train') trainings++;
    };
    await tune({ ...settings, dataset, out }, { progress: listen });
    expect(trainings).toBe(3);
    expect((await readFile(join(out, searchLogFile), 'utf8')).startsWith(first)).toBe(true);
    expect(untimed(await linesOf(out))).toEqual(untimed(await linesOf(whole)));
    const [one, other] = await Promise.all(
      [out, whole].map((each) => readFile(join(each, bestSettingsFile), 'utf8')),
    );
    expect(one).toBe(other);
  });

  it('never reads the test period', async () => {
    const loaded = await loadDataset(dataset);
    const { exposures, pageViews } = loaded;
    const [clicked, item, history] = [
      exposures.clicked.slice(),
      exposures.item.slice(),
      pageViews.history.slice(),
    ];
    const rows = rowsOfSplit(loaded, 'test');
    for (const [place, row] of rows.entries()) {
      clicked[row] = 1 - clicked[row]!;
      item[row] = exposures.item[rows[rows.length - 1 - place]!]!;
    }
    // Of the histories of test page views only the first item is left.
    for (const [view, split] of pageViews.split.entries()) {
      if (splits[split] !== 'test') continue;
      const from = view * pageViews.historyLength;
      history.fill(history[from]!, from, from + pageViews.historyLength);
    }
    const other = join(folder, 'flipped');
    await mkdir(other);
    await copyFile(join(dataset, 'images.bin'), join(other, 'images.bin'));
    const manifest = JSON.parse(await readFile(join(dataset, 'dataset.json'), 'utf8'));
    const changed = { exposures: { ...exposures, clicked, item }, pageViews: { ...pageViews, history } };
    await writeDataset(other, unsaved({ ...loaded, ...changed }), manifest.made);
    loaded.images.close();

    const out = join(folder, 'blind');
    await tune({ ...settings, dataset: other, out });
    const bytes = async (run: string) =>
      (await readFile(join(run, searchLogFile), 'utf8')).replaceAll(/"seconds":[^}]+/g, '');
    expect(await bytes(out)).toBe(await bytes(whole));
    expect((await loadDataset(other)).hash).not.toBe(loaded.hash);
  });

  it('refuses a validation period that cannot judge before anything is trained', async () => {
    const unclicked = await relabelledDataset(dataset, 'validation', () => 0, join(folder, 'unclicked'));
    const out = join(folder, 'unjudged');
    await expect(tune({ ...settings, dataset: unclicked, out })).rejects.toMatchObject({
      code: 'METRIC_UNDEFINED',
      message: expect.stringContaining('has no page views with photos, a history, a click and a non-click'),
    });
    expect(await exists(out)).toBe(false);
  });

  it('writes settings that compare trains its encoders by', async () => {
    const best = JSON.parse(await readFile(join(whole, bestSettingsFile), 'utf8'));
    expect(compareConfig.shape.pretrain.safeParse(best)).toMatchObject({ success: true });
  });

  it('notes what fails and goes on, and ends with settings that pretrain takes', async () => {
    const out = join(folder, 'failing');
    const config = join(folder, 'tune.json');
    const pretrain = { ...settings.pretrain, clipNorm: null };
    const space = { ...settings.space, learningRate: [1e30, 1e30] };
    await writeFile(config, JSON.stringify({ pretrain, space }));
    const ran = await courier(
      ...['tune', '--json', '--config', config, '--dataset', dataset, '--out', out, '--budget', '3'],
    );
    expect([ran.exitCode, ran.json]).toMatchObject([0, { ok: true, best: { trial: 0, round: 1 } }]);
    const failed = (await linesOf(out)).filter(({ score }) => score === null);
    expect(failed.map(({ trial }) => trial)).toEqual([1, 2]);
    for (const { failure } of failed) expect(failure?.code).toMatch(/TRAINING_|VALUE_INVALID/);
    const trained = await courier(
      ...['pretrain', '--json', '--config', join(out, bestSettingsFile), '--dataset', dataset],
      ...['--out', join(folder, 'pretrained')],
    );
    expect([trained.exitCode, trained.json]).toMatchObject([0, { ok: true, steps: 6 }]);
  });
});
