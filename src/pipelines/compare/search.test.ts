import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { courier } from '../../../test/support/terminal.ts';
import { tinyDataset, tinyPretraining } from '../../../test/support/tiny-dataset.ts';
import type { Trial } from '../../training/search/log.ts';
import type { CompareConfigInput } from './config.ts';
import { type Comparison, compare } from './index.ts';

describe('a comparison that searches settings first', () => {
  let folder: string;
  let config: CompareConfigInput;
  let made: Comparison;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    config = {
      dataset: await tinyDataset(folder),
      out: join(folder, 'run'),
      sources: ['courier', 'courier-mean-history', 'simclr', 'hog'],
      seeds: [3],
      starts: ['warm'],
      pretrain: { ...tinyPretraining, steps: 4 },
      tune: { budget: 2, space: { batchSize: [8, 16], patch: [8], candidates: [2, 3] } },
      choices: [{}],
      diagnosis: false,
      examples: 0,
    };
    made = await compare(config);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const jsonOf = async (...path: string[]) => JSON.parse(await readFile(join(config.out, ...path), 'utf8'));

  async function trialsOf(objective: string): Promise<readonly Trial[]> {
    const text = await readFile(join(config.out, 'tune', objective, 'tune.jsonl'), 'utf8');
    return text
      .trimEnd()
      .split('\n')
      .map((line): Trial => JSON.parse(line));
  }

  it('gives every objective as many trials, and trains each with the best of its own', async () => {
    expect(made.report.failures).toEqual([]);
    for (const objective of ['courier', 'simclr']) {
      const trials = await trialsOf(objective);
      expect(trials).toHaveLength(2);
      const [first, second] = trials;
      const best = (second?.score ?? 0) > (first?.score ?? 0) ? second : first;
      const trained = await jsonOf(objective, 'seed-3', 'manifest.json');
      expect(trained.config).toMatchObject({
        learningRate: best?.settings.learningRate,
        batchSize: best?.settings.batchSize,
        objective: { name: objective, temperature: best?.settings.temperature },
        olderShare: 2 / 3,
      });
    }
  });

  it('trains variants of COURIER with what was found for COURIER, so that one thing alone differs', async () => {
    const plain = await jsonOf('courier', 'seed-3', 'manifest.json');
    const variant = await jsonOf('courier-mean-history', 'seed-3', 'manifest.json');
    expect(variant.config).toEqual({
      ...plain.config,
      objective: { ...plain.config.objective, form: 'mean' },
    });
  });

  it('says in the report what was found', () => {
    expect(made.report.searches).toMatchObject([
      { objective: 'courier', tried: 2, settings: expect.stringContaining('learningRate') },
      { objective: 'simclr', tried: 2 },
    ]);
  });

  it('searches nothing again, and says in a plan what it would search', async () => {
    const before = await trialsOf('courier');
    await compare(config);
    // With the seconds that each took.
    expect(await trialsOf('courier')).toEqual(before);
    const words = ['--dataset', config.dataset, '--out', join(folder, 'other'), '--tune', '5', '--plan'];
    const { stderr } = await courier('compare', '--json', ...words);
    expect(stderr).toContain('first a search for courier: 5 settings each on the validation period');
    const odd = await courier('compare', '--json', ...words, '--set', 'tune.reduction=1');
    expect(odd.json).toMatchObject({ ok: false, error: { code: 'CONFIG_INVALID' } });
    expect(odd.stderr).toContain('tune.reduction');
  });
});
