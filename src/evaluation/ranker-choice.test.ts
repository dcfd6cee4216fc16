import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defined, gap, value } from '../../test/support/measured.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { tinyDataset } from '../../test/support/tiny-dataset.ts';
import { rank } from '../pipelines/rank/index.ts';
import { bestOf } from './ranker-choice.ts';

const ranker = { batchSize: 128, hiddenWidths: [8], minimumCount: 2 };
const choices = [{ learningRate: 1e-8, tableLearningRate: 1e-8 }, { ids: 'none' }, { epochs: 2 }] as const;

async function ranked(starts: ('warm' | 'scratch')[], more: object = {}) {
  const folder = await temporaryFolder();
  const out = join(folder, 'run');
  const settings = { out, ranker, choices: [...choices], starts, diagnosis: false, ...more };
  const { report } = await rank({ dataset: await tinyDataset(folder), ...settings });
  return { out, report };
}

describe('the settings of rankers', () => {
  it('are those of the best AUC on validation, for each start, and every row has them', async () => {
    const { out, report } = await ranked(['warm', 'scratch']);
    expect(report.choices.map(({ start }) => start)).toEqual(['warm', 'scratch']);
    for (const { start, tried, chosen } of report.choices) {
      expect(tried.map(({ settings }) => settings)).toEqual([
        'learningRate 1e-8, tableLearningRate 1e-8',
        'ids none',
        'epochs 2',
      ]);
      const aucs = tried.map(({ validationAuc }) => defined(validationAuc));
      expect(aucs[chosen]).toBeGreaterThanOrEqual(Math.max(...aucs) - 0.001);
      const row = report.rows.find((row) => row.start === start && row.features === 'none');
      expect(defined(row!.validationAuc).mean).toBe(aucs[chosen]);
    }
    // What was tried is not trained again.
    expect((await readdir(join(out, 'rankers', 'tried'))).length).toBe(6);
  });

  it('are the first of those that hardly differ, and of all where nothing is known', () => {
    const of = (...aucs: (number | null)[]) =>
      bestOf(aucs.map((auc) => (auc === null ? gap('no clicks') : value(auc))));
    expect([of(0.6, 0.6005, 0.62), of(0.6, 0.6195, 0.62), of(null, 0.5), of(null, null)]).toEqual([
      2, 1, 1, 0,
    ]);
  });

  it('are taken untried where there is one entry', async () => {
    const { out, report } = await ranked(['warm'], { choices: [{ ids: 'none' }] });
    expect(report.choices).toEqual([]);
    expect(await readdir(join(out, 'rankers'))).not.toContain('tried');
    expect(report.rows.map(({ features }) => features)).toEqual(['without-learning', 'none']);
  });

  it('that cannot be trained are passed over, and told of', async () => {
    const { report } = await ranked(['warm'], { choices: [{ learningRate: 1e30 }, { ids: 'none' }] });
    expect(report.choices[0]).toMatchObject({
      chosen: 1,
      tried: [{ validationAuc: { kind: 'undefined', why: expect.stringContaining('loss') } }, {}],
    });
  });
});
