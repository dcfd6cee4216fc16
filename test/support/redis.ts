/** A real Redis of this machine, as Debian's redis-server brings it, for tests of shared state. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { freePort } from './free-port.ts';
import { restartable } from './restartable.ts';

const program = '/usr/bin/redis-server';

/** Where nothing may be skipped, its absence is a failure. */
export const hasRedis = existsSync(program) || process.env['COURIER_SKIP_NOTHING'] === '1';

/** Says in a suite's name why it is skipped. */
export const inRedis = `in Redis (needs ${program})`;

export interface RedisServer {
  readonly url: string;
  /** Ends it as if the machine had, and starts it again on what lies on its disk. */
  crash(): Promise<void>;
  close(): Promise<void>;
}

/** @param folder where it keeps its files @param durable whether an acknowledged write is on the disk */
export async function startRedis(folder: string, durable = true): Promise<RedisServer> {
  const port = await freePort();
  const fsync = durable ? 'always' : 'everysec';
  const words = [
    ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
    ...['--appendonly', 'yes', '--appendfsync', fsync],
  ];
  const url = `redis://127.0.0.1:${port}`;
  const start = async () => {
    const child = spawn(program, words, { stdio: 'ignore' });
    await answering(url);
    return child;
  };
  const { crash, close } = await restartable(start);
  return { url, crash, close };
}

async function answering(url: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const client = createClient({ url, socket: { reconnectStrategy: false } });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.ping();
      return;
    } catch (error) {
      if (tries === 200) throw error;
      await sleep(50);
    } finally {
      client.destroy();
    }
  }
}
