import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artefactsOf } from '../../../test/support/artefacts.ts';
import { hasMpi, mpirun, underMpi } from '../../../test/support/mpi.ts';
import { tinyDataset, tinyPretraining } from '../../../test/support/tiny-dataset.ts';
import { searchLogFile } from '../../training/search/search.ts';
import type { TuneConfigInput } from './config.ts';

const bin = fileURLToPath(new URL('../../cli/bin.ts', import.meta.url));

describe.skipIf(!hasMpi)(`tune ${underMpi}`, () => {
  let folder: string;
  let dataset: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function found(processes: number, name: string) {
    const settings = {
      budget: 3,
      pretrain: { ...tinyPretraining, steps: 6 },
      space: { batchSize: [8, 16], patch: [4, 8], candidates: [2, 3] },
      dataset,
      out: join(folder, name),
    } satisfies TuneConfigInput;
    const config = join(folder, `${name}.json`);
    await writeFile(config, JSON.stringify(settings));
    const { exitCode, stderr } = await mpirun(processes, [bin, 'tune', '--json', '--config', config]);
    expect([exitCode, stderr]).toEqual([0, expect.anything()]);
    return artefactsOf(settings.out);
  }

  it('of two processes tries the same trials as one, and finds the same settings', async () => {
    const one = await found(1, 'one');
    expect(await found(2, 'two')).toEqual(one);
    const log = join(folder, 'two', searchLogFile);
    const before = await readFile(log, 'utf8');
    expect(before.trimEnd().split('\n')).toHaveLength(4);
    // What is logged is not tried again by anybody.
    expect(await found(4, 'two')).toEqual(one);
    expect(await readFile(log, 'utf8')).toBe(before);
  });
});
