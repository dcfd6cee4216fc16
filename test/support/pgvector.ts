/** A PostgreSQL in this process that speaks to clients over a socket, with pgvector or without. */
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { freePort } from './free-port.ts';

export interface PostgresServer {
  readonly url: string;
  /** Ends the connections; what was written stays. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startPostgres(
  extension: 'with pgvector' | 'without pgvector',
): Promise<PostgresServer> {
  const db = await PGlite.create(extension === 'with pgvector' ? { extensions: { vector } } : {});
  const port = await freePort();
  const begin = async () => {
    const server = new PGLiteSocketServer({ db, port, host: '127.0.0.1', maxConnections: 16 });
    await server.start();
    return server;
  };
  let server: PGLiteSocketServer | null = await begin();
  const stop = async () => {
    await server?.stop();
    server = null;
  };
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    stop,
    async start() {
      server ??= await begin();
    },
    async close() {
      await stop();
      await db.close();
    },
  };
}
