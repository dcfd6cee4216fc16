import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leftoversOf } from '../../../test/support/artefacts.ts';
import { hasMpi, mpirun, underMpi } from '../../../test/support/mpi.ts';
import { tinyDataset, writeRandomEmbeddings } from '../../../test/support/tiny-dataset.ts';
import type { Report } from '../../report/report.ts';
import type { RankConfigInput } from './config.ts';

const bin = fileURLToPath(new URL('../../cli/bin.ts', import.meta.url));

describe.skipIf(!hasMpi)(`rank ${underMpi}`, () => {
  let folder: string;
  let dataset: string;
  let embeddings: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    embeddings = join(folder, 'embeddings.parquet');
    await writeRandomEmbeddings(dataset, embeddings);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function ranked(processes: number, name: string) {
    const out = join(folder, name);
    const settings = {
      dataset,
      embeddings: { own: embeddings },
      features: ['sim-score', 'vector', 'cluster-id'],
      codes: { clusters: [4], semanticLevels: 2, semanticCodes: 4 },
      seeds: [1, 2],
      starts: ['warm', 'scratch'],
      choices: [{}],
      diagnosis: false,
      export: 'sim-score',
      out,
    } satisfies RankConfigInput;
    const config = join(folder, `${name}.json`);
    await writeFile(config, JSON.stringify(settings));
    const { exitCode, stdout, stderr } = await mpirun(processes, [bin, 'rank', '--json', '--config', config]);
    expect([exitCode, stderr]).toEqual([0, expect.anything()]);
    expect(stdout.trim().split('\n').at(-1)).toContain('"export"');
    expect(await leftoversOf(out)).toEqual([]);
    const report: Report = JSON.parse(await readFile(join(out, 'report.json'), 'utf8'));
    return { rows: report.rows, curves: report.curves, failures: report.failures };
  }

  it('of three processes gives exactly the table of one', async () => {
    expect(await ranked(3, 'three')).toEqual(await ranked(1, 'one'));
  });
});
