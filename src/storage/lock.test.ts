import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { CourierError, messageOf } from '../errors.ts';
import type { ProgressEvent } from '../progress.ts';
import { exists } from './files.ts';
import { releaseDeadBelow, withLock, withSharedLock } from './lock.ts';
import { thisProcess } from './processes.ts';

/** Leaves a lock as its owner would. */
async function lockOf(folder: string, owner: Record<string, unknown>): Promise<string> {
  const lock = join(folder, '.lock');
  await mkdir(lock);
  const about = { started: null, since: '2024-01-01T00:00:00.000Z', command: 'pretrain --out run' };
  await writeFile(join(lock, 'owner'), JSON.stringify({ ...about, host: hostname(), ...owner }));
  return lock;
}

/** Number of a process that has just ended. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid!;
}

describe('locks below a folder', () => {
  it('of dead processes of this host are given back, and no others', async () => {
    const folder = await temporaryFolder();
    const below = async (name: string, owner: Record<string, unknown>) => {
      await mkdir(join(folder, 'sources', name), { recursive: true });
      return lockOf(join(folder, 'sources', name), owner);
    };
    const dead = await below('dead', { pid: await endedProcess() });
    const running = await below('running', { ...(await thisProcess()) });
    const elsewhere = await below('elsewhere', { pid: await endedProcess(), host: 'another' });
    await releaseDeadBelow(folder);
    expect([await exists(dead), await exists(running), await exists(elsewhere)]).toEqual([false, true, true]);
  });
});

describe('a shared lock', () => {
  it('waits for who has it, saying for whom, and is got by one after the other', async () => {
    const lock = join(await temporaryFolder(), 'cache', '.lock');
    const notes: string[] = [];
    const progress = (event: ProgressEvent) => event.kind === 'note' && notes.push(event.text);
    const order: string[] = [];
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await new Promise<void>((begun) => {
      void withSharedLock(lock, 'features', { progress }, async () => {
        begun();
        await held;
        order.push('first ends');
      });
    });
    const second = withSharedLock(lock, 'features', { progress }, async () => order.push('second begins'));
    while (notes.length === 0) await sleep(5);
    release();
    await second;
    expect(order).toEqual(['first ends', 'second begins']);
    expect(notes).toEqual([
      expect.stringContaining(`Waiting: features is in use by process ${process.pid}, since 20`),
    ]);
  });

  it('is not waited for by who was told to stop, nor where another host has it', async () => {
    const folder = await temporaryFolder();
    const lock = join(folder, '.lock');
    const controller = new AbortController();
    await withLock(lock, 'features', async () => {
      const waiting = withSharedLock(lock, 'features', { signal: controller.signal }, async () => 1);
      controller.abort(new Error('stopped'));
      await expect(waiting).rejects.toThrow('stopped');
    });
    await lockOf(folder, { pid: 1, host: 'elsewhere' });
    await expect(withSharedLock(lock, 'features', {}, async () => 1)).rejects.toMatchObject({
      code: 'OUTPUT_IN_USE',
      message: expect.stringContaining('on elsewhere'),
    });
  });
});

describe('a lock', () => {
  it('refuses a second one while the work lasts, naming the first, and leaves nothing behind', async () => {
    const folder = await temporaryFolder();
    const lock = join(folder, 'run', '.lock');
    await withLock(lock, 'runs/a', async () => {
      await expect(withLock(lock, 'runs/a', async () => 1)).rejects.toMatchObject({
        code: 'OUTPUT_IN_USE',
        message: expect.stringMatching(`^runs/a is in use by process ${process.pid}, since 20.*: `),
      });
    });
    expect(await withLock(lock, 'runs/a', async () => 2)).toBe(2);
    await expect(withLock(lock, 'runs/a', () => Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    );
    expect(await readdir(join(folder, 'run'))).toEqual([]);
  });

  it.each([
    ['nobody', false],
    ['a dead process', true],
  ])('of %s is got by exactly one of many who come at once', async (_, left) => {
    const folder = await temporaryFolder();
    const lock = left ? await lockOf(folder, { pid: await endedProcess() }) : join(folder, '.lock');
    const count = 20;
    let [inside, refused] = [0, 0];
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = () => inside + refused === count && resolve();
    });
    const codes = new Set<string>();
    const attempt = async () => {
      try {
        await withLock(lock, 'run', () => {
          inside++;
          end();
          return ended;
        });
      } catch (error) {
        codes.add(error instanceof CourierError ? error.code : messageOf(error));
        refused++;
        end();
      }
    };
    await Promise.all(Array.from({ length: count }, attempt));
    expect([inside, refused, [...codes]]).toEqual([1, count - 1, ['OUTPUT_IN_USE']]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('of a process that was killed is taken over, also where its number has come again', async () => {
    const folders = await Promise.all([temporaryFolder(), temporaryFolder(), temporaryFolder()]);
    const [dead, reused, damaged] = folders;
    await lockOf(dead!, { pid: await endedProcess() });
    const { started } = await thisProcess();
    await lockOf(reused!, { pid: process.pid, started: started === null ? null : 'an earlier time' });
    await lockOf(damaged!, { pid: 'none' });
    for (const folder of started === null ? [dead!, damaged!] : folders) {
      expect(await withLock(join(folder, '.lock'), 'run', async () => 'done')).toBe('done');
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('of another host is respected, with what to do where that is gone', async () => {
    const folder = await temporaryFolder();
    const lock = await lockOf(folder, { pid: await endedProcess(), host: 'elsewhere' });
    await expect(withLock(lock, 'run', async () => 1)).rejects.toMatchObject({
      code: 'OUTPUT_IN_USE',
      message: expect.stringContaining('on elsewhere, since 2024-01-01T00:00:00.000Z: pretrain --out run'),
      remedy: expect.stringContaining(`delete ${lock}`),
    });
    expect(await readFile(join(lock, 'owner'), 'utf8')).toContain('elsewhere');
  });
});
