import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leftoversOf } from '../../../test/support/artefacts.ts';
import { hasMpi, mpirun, underMpi } from '../../../test/support/mpi.ts';
import { tinyDataset, writeRandomEmbeddings } from '../../../test/support/tiny-dataset.ts';
import type { Report } from '../../report/report.ts';
import { readSafeTensors } from '../../storage/safetensors.ts';
import type { RankConfigInput } from './config.ts';

const bin = fileURLToPath(new URL('../../cli/bin.ts', import.meta.url));

/** All numbers in it, in order. */
function numbersIn(value: unknown): readonly number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

async function tensorFilesOf(folder: string): Promise<readonly string[]> {
  const all = await readdir(folder, { recursive: true });
  return all.filter((name) => name.endsWith('.safetensors')).sort();
}

/** How far values are from others, as a share of them. */
function apart(values: readonly number[], others: readonly number[]): number {
  const difference = Math.hypot(...values.map((value, place) => value - others[place]!));
  return difference === 0 ? 0 : difference / Math.hypot(...others);
}

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

  async function ranked(processes: number, name: string, more: Partial<RankConfigInput> = {}) {
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
      ...more,
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

  it.each<{ what: string; processes: number; more: Partial<RankConfigInput> }>([
    { what: 'without photos, by two', processes: 2, more: { features: ['none'], export: 'none' } },
    {
      what: 'with clusters and a diagnosis, by four',
      processes: 4,
      more: { features: ['cluster-id'], export: 'cluster-id', choices: [{}, { epochs: 2 }], diagnosis: true },
    },
  ])('of more processes than rankers trains each together, to those of one: $what', async (each) => {
    const { processes } = each;
    const more = { ...each.more, seeds: [1] };
    const [several, one] = [`together-${processes}`, `alone-${processes}`];
    const tables = [await ranked(processes, several, more), await ranked(1, one, more)];
    const [own, others] = tables.map(({ rows, curves }) => numbersIn({ rows, curves }));
    expect(own!.length).toBe(others!.length);
    const [made, alone] = [join(folder, several), join(folder, one)];
    const files = (await tensorFilesOf(alone)).filter((name) => !name.startsWith('clusters'));
    expect(await tensorFilesOf(made)).toEqual(await tensorFilesOf(alone));
    expect(files).toContain(join('export', 'table.safetensors'));
    for (const file of files) {
      const [left, right] = [
        await readSafeTensors(join(made, file), file),
        await readSafeTensors(join(alone, file), file),
      ];
      expect([...left.tensors.keys()]).toEqual([...right.tensors.keys()]);
      for (const [name, { data }] of right.tensors)
        expect(
          apart([...left.tensors.get(name)!.data].map(Number), [...data].map(Number)),
          `${name} of ${file}`,
        ).toBeLessThan(1e-5);
    }
    for (const [place, value] of others!.entries())
      expect(Math.abs(own![place]! - value), `number ${place} of the report`).toBeLessThan(
        1e-3 * Math.max(1, Math.abs(value)),
      );
  });
});
