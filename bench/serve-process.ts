/** `courier serve` as a process of its own, which may be killed, and kept to one core. */
import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CourierClient } from '../src/server/client.ts';
import type { ServeConfigInput } from '../src/server/config.ts';
import { freePort } from '../test/support/free-port.ts';
import { restartable } from '../test/support/restartable.ts';

const bin = fileURLToPath(new URL('../src/cli/bin.ts', import.meta.url));

/** Longest that a server may take to open. Milliseconds. */
const patience = 300_000;

export interface ServerProcess {
  readonly url: string;
  readonly client: CourierClient;
  /** MiB of its memory that are in the machine's. Linux alone tells. */
  residentMebibytes(): Promise<number>;
  /** Ends it as if the machine had, and starts it again at the same address. */
  crash(): Promise<void>;
  close(): Promise<void>;
}

/** The words that start a program of ours. @param core the only one it may use; null for any */
export function nodeWords(core: number | null, program: string, words: readonly string[]) {
  const own = [process.execPath, '--import', import.meta.resolve('tsx'), program, ...words];
  return core === null ? own : ['taskset', '--cpu-list', `${core}`, ...own];
}

/** @param folder where its settings and its log go */
export async function startServerProcess(
  folder: string,
  settings: ServeConfigInput,
  core: number | null,
): Promise<ServerProcess> {
  const port = await freePort();
  const config = join(folder, `serve-${port}.json`);
  await writeFile(config, JSON.stringify({ ...settings, port }));
  const url = `http://127.0.0.1:${port}`;
  const client = new CourierClient({ url });
  const start = async () => {
    const log = await open(join(folder, `serve-${port}.log`), 'a');
    const [node = '', ...words] = nodeWords(core, bin, ['serve', '--config', config]);
    const child = spawn(node, words, { stdio: ['ignore', 'ignore', log.fd] });
    await log.close();
    await answering(client, child);
    return child;
  };
  const server = await restartable(start);
  return {
    url,
    client,
    async residentMebibytes() {
      const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
    },
    crash: server.crash,
    close: server.close,
  };
}

async function answering(client: CourierClient, child: ChildProcess): Promise<void> {
  const until = performance.now() + patience;
  for (;;) {
    try {
      await client.ready();
      return;
    } catch (error) {
      if (child.exitCode !== null || performance.now() > until) {
        child.kill('SIGKILL');
        throw error;
      }
      await sleep(20);
    }
  }
}
