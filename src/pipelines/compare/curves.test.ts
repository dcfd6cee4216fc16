import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { sourceFolder } from '../../training/embedding-sources.ts';
import { metricsFile } from '../../training/run-start.ts';
import { compareConfig } from './config.ts';
import { pretrainCurves } from './curves.ts';

describe('curves of pre-training', () => {
  it('show every trained source of the first seed, also one that stopped within a line, and no other', async () => {
    const out = await temporaryFolder();
    const sources = ['hog', 'courier', 'simclr', 'clip'] as const;
    const config = compareConfig.parse({ dataset: 'd', out, sources, seeds: [4, 5] });
    for (const [source, text] of [
      ['courier', '{"step":1,"loss":3}\n{"step":2,"loss":2,"validationAuc":0.6}\n'],
      ['simclr', '{"step":1,"loss":5}\n{"step":2,"lo'],
    ] as const) {
      const folder = sourceFolder(out, source, 4);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, metricsFile), text);
    }
    const [loss, validation, ...others] = await pretrainCurves(config);
    expect(others).toEqual([]);
    expect([loss?.title, validation?.title]).toEqual([
      'Pre-training: loss, seed 4',
      'Pre-training: validation, seed 4',
    ]);
    expect(loss?.series).toEqual([
      {
        name: 'courier',
        points: [
          [1, 3],
          [2, 2],
        ],
      },
      { name: 'simclr', points: [[1, 5]] },
    ]);
    expect(validation?.series).toEqual([{ name: 'courier', points: [[2, 0.6]] }]);
  });
});
