import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artefactsOf, leftoversOf } from '../../../test/support/artefacts.ts';
import { hasMpi, mpirun, startMpi, underMpi } from '../../../test/support/mpi.ts';
import { tinyDataset, tinyPretraining } from '../../../test/support/tiny-dataset.ts';
import { manifestFile } from '../../runs/run-folder.ts';
import { exists } from '../../storage/files.ts';
import type { CompareConfigInput } from './config.ts';

const bin = fileURLToPath(new URL('../../cli/bin.ts', import.meta.url));

describe.skipIf(!hasMpi)(`compare ${underMpi}`, () => {
  let folder: string;
  let dataset: string;
  const settings = {
    sources: ['courier', 'hog'],
    features: ['sim-score', 'vector'],
    seeds: [1, 2],
    starts: ['warm'],
    pretrain: { ...tinyPretraining, steps: 4 },
    choices: [{}, { numericPieces: 0 }],
    diagnosis: true,
    examples: 1,
  } satisfies Partial<CompareConfigInput>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    await ran(1, 'one');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function wordsFor(name: string, more: Partial<CompareConfigInput> = {}): Promise<readonly string[]> {
    const config = join(folder, `${name}.json`);
    await writeFile(config, JSON.stringify({ ...settings, ...more, dataset, out: join(folder, name) }));
    return [bin, 'compare', '--json', '--config', config];
  }

  async function ran(processes: number, name: string, more: Partial<CompareConfigInput> = {}) {
    const { exitCode, stdout, stderr } = await mpirun(processes, await wordsFor(name, more));
    expect([exitCode, stderr]).toEqual([0, expect.anything()]);
    return JSON.parse(stdout);
  }

  /** All that a comparison leaves but its report, of which not all is the same every time. */
  async function madeIn(name: string) {
    const all = Object.entries(await artefactsOf(join(folder, name)));
    return Object.fromEntries(all.filter(([path]) => !/^(costs|report|manifest)/.test(path)));
  }

  /** Its report without times, and without how it was started. */
  async function reportOf(name: string) {
    const out = join(folder, name);
    const text = (await readFile(join(out, 'report.json'), 'utf8')).replaceAll(out, 'OUT');
    const {
      stages,
      manifest: _,
      ...report
    } = JSON.parse(text.replaceAll(/"(\w*[sS]econds|peakMemoryBytes)":\s*[^,}\]]+/g, '"$1":0'));
    const names: readonly string[] = stages.map(({ stage }: { stage: string }) => stage);
    return { ...report, stages: [...names].sort() };
  }

  it('of four processes gives exactly the table and the files of one', async () => {
    await ran(4, 'four');
    expect(await reportOf('four')).toEqual(await reportOf('one'));
    expect(await madeIn('four')).toEqual(await madeIn('one'));
    expect(await leftoversOf(join(folder, 'four'))).toEqual([]);
  });

  it('of two, with a search, a screening and a source that fails in the second, too', async () => {
    const more = {
      tune: { budget: 2 },
      screen: { keep: 1 },
      choices: [{}],
      features: ['sim-score'],
      diagnosis: false,
    };
    for (const name of ['searched-alone', 'searched']) {
      const own = join(folder, name, 'courier', 'seed-2');
      await mkdir(own, { recursive: true });
      await writeFile(join(own, manifestFile), '{}');
    }
    await ran(1, 'searched-alone', more);
    const { failures } = await ran(2, 'searched', more);
    expect(failures).toMatchObject([{ stage: 'embed', source: 'courier', seed: 2, code: 'FILE_CORRUPT' }]);
    expect(await reportOf('searched')).toEqual(await reportOf('searched-alone'));
  });

  it('ends as a whole where a process is killed, and goes on to the same table', async () => {
    const child = startMpi(2, await wordsFor('killed'));
    const ended = once(child, 'close');
    const begun = join(folder, 'killed', 'courier', 'seed-2', '.lock');
    while (child.exitCode === null && !(await exists(begun))) await sleep(5);
    const [owner] = await readdir(begun);
    const { pid }: { pid: number } = JSON.parse(await readFile(join(begun, owner!), 'utf8'));
    process.kill(pid, 'SIGKILL');
    const [exitCode] = await ended;
    expect(exitCode).not.toBe(0);
    await ran(2, 'killed');
    expect(await reportOf('killed')).toEqual(await reportOf('one'));
    expect(await leftoversOf(join(folder, 'killed'))).toEqual([]);
  });
});
