import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { artefactsOf, leftoversOf } from '../../test/support/artefacts.ts';
import { ended, startCourier } from '../../test/support/program.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { tinyDataset, tinyPretraining } from '../../test/support/tiny-dataset.ts';
import { writeTinyTable } from '../../test/support/tiny-shop.ts';
import type { IngestConfigInput } from '../pipelines/ingest/config.ts';
import { ingest } from '../pipelines/ingest/index.ts';
import { pretrain } from '../pipelines/pretrain/index.ts';

const asked = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Starts a program that waits to be stopped. */
async function waiting(name = 'stop-program.ts'): Promise<ChildProcess> {
  const node = ['--import', 'tsx', fileURLToPath(new URL(`../../test/support/${name}`, import.meta.url))];
  const child = spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'pipe'] });
  await once(child.stdout, 'data');
  return child;
}

async function said(child: ChildProcess): Promise<string> {
  const [text] = await once(child.stderr!, 'data');
  return String(text);
}

/** Waits for something that a process of its own does. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(2);
}

const isThere = async (folder: string, name: RegExp) =>
  (await readdir(folder).catch(() => [])).some((each) => name.test(each));

describe('a process that is asked to stop', () => {
  it('says so and goes on to its next safe place; asked again, it ends at once', async () => {
    const stop = async (signal: (typeof asked)[number]) => {
      const child = await waiting();
      const announced = said(child);
      child.kill(signal);
      expect(await announced).toContain('Stopping at the next safe place');
      // A terminal that is closed may say so twice.
      child.kill(signal);
      const impatient = signal === 'SIGHUP' ? 'SIGTERM' : signal;
      child.kill(impatient);
      expect((await ended(child)).signal).toBe(impatient);
    };
    await Promise.all(asked.map(stop));
  });

  it('ends at once, asked again, also while threads of a native library wait for it', async () => {
    for (let round = 0; round < 3; round++) {
      const child = await waiting('writing-program.ts');
      await sleep(300 + 40 * round);
      const announced = said(child);
      child.kill('SIGINT');
      await announced;
      child.kill('SIGINT');
      const end = await Promise.race([ended(child), sleep(10_000, null)]);
      child.kill('SIGKILL');
      expect(end?.signal).toBe('SIGINT');
    }
  });
});

describe('ingest', () => {
  async function tinyTable(): Promise<{ folder: string; config: IngestConfigInput }> {
    const folder = await temporaryFolder();
    const table = await writeTinyTable(folder);
    const config = { source: 'table' as const, ...table, side: 8, out: join(folder, 'data', 'set') };
    await writeFile(join(folder, 'ingest.json'), JSON.stringify(config));
    return { folder, config };
  }

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'ended by %s leaves nothing once it has run again',
    async (signal) => {
      const { folder, config } = await tinyTable();
      const data = join(folder, 'data');
      const child = startCourier(['ingest', '--config', join(folder, 'ingest.json')], folder);
      const end = ended(child);
      await until(() => isThere(data, /^set\.\d+\.partial$/));
      child.kill(signal);
      const { code, stderr } = await end;
      if (signal === 'SIGTERM') {
        expect([code, stderr]).toEqual([1, expect.stringContaining('[INTERRUPTED]')]);
        expect(await readdir(data)).toEqual([]);
      } else {
        expect(await leftoversOf(data)).toHaveLength(2);
      }
      await ingest(config);
      expect(await readdir(data)).toEqual(['set']);
      await ingest({ ...config, out: join(folder, 'whole') });
      expect(await artefactsOf(config.out)).toEqual(await artefactsOf(join(folder, 'whole')));
    },
  );
});

describe('a run folder', () => {
  it('in which a process works is refused to another until that ends, and names it', async () => {
    const folder = await temporaryFolder();
    const dataset = await tinyDataset(folder);
    const config = { ...tinyPretraining, dataset, steps: 100_000, patience: null, out: join(folder, 'run') };
    await writeFile(join(folder, 'pretrain.json'), JSON.stringify(config));
    const child = startCourier(['pretrain', '--config', join(folder, 'pretrain.json')], folder);
    const end = ended(child);
    await until(() => isThere(config.out, /^metrics/));
    await expect(pretrain(config)).rejects.toMatchObject({
      code: 'OUTPUT_IN_USE',
      message: expect.stringMatching(`process ${child.pid}, since .*: bin.ts pretrain --config`),
    });
    child.kill('SIGTERM');
    expect(await end).toMatchObject({ code: 1, stderr: expect.stringContaining('[INTERRUPTED]') });
    expect(await leftoversOf(config.out)).toEqual([]);
  });
});

describe('a process whose output nobody reads any more', () => {
  it('ends as well as if all had been read', async () => {
    const bin = fileURLToPath(new URL('./bin.ts', import.meta.url));
    const words = ['--import', 'tsx', bin, 'settings', '--markdown'];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    expect(await ended(child)).toMatchObject({ code: 0, stderr: '' });
  });
});
