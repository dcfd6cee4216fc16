/** A server on a free port of this machine, its log, and clients of it. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { CourierClient } from '../../src/server/client.ts';
import type { ServeConfigInput } from '../../src/server/config.ts';
import { type Server, type ServerOptions, startServer } from '../../src/server/server.ts';
import { temporaryFolder } from './temporary.ts';

export interface RunningServer {
  readonly server: Server;
  readonly client: CourierClient;
  /** Lines of the log so far. */
  readonly log: readonly string[];
  /** What a request as it is gets. */
  ask(path: string, options?: RequestInit): Promise<{ status: number; headers: Headers; text: string }>;
}

/** Starts a server with a state of its own, which is closed when the test ends. */
export async function runningServer(
  settings: Omit<ServeConfigInput, 'state'> & { readonly state?: string },
  options: Omit<ServerOptions, 'log'> = {},
): Promise<RunningServer> {
  const state = settings.state ?? join(await temporaryFolder(), 'state.mdb');
  const log: string[] = [];
  const server = await startServer(
    { port: 0, window: 0, ...settings, state },
    { ...options, log: { write: (line) => void log.push(line) } },
  );
  onTestFinished(() => server.close());
  return {
    server,
    client: new CourierClient({ url: server.url }),
    log,
    async ask(path, request) {
      const answer = await fetch(server.url + path, request);
      return { status: answer.status, headers: answer.headers, text: await answer.text() };
    },
  };
}

/** A request of JSON. */
export function json(body: unknown, headers: Record<string, string> = {}): RequestInit {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { method: 'POST', body: text, headers: { 'content-type': 'application/json', ...headers } };
}
