/** Settings of the server, with every default. */
import { z } from 'zod';
import { parseConfig } from '../config.ts';
import { serviceDefaults } from '../serving/service.ts';

const milliseconds = z.int().min(0).max(86_400_000);

/** Levels of pino. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

export const serveConfig = z
  .strictObject({
    export: z
      .string()
      .min(1)
      .describe('Folder that `courier export` wrote, or a link to it, which is followed again on SIGHUP.'),
    state: z
      .string()
      .min(1)
      .describe('Where events and new items are kept: the path of an LMDB file, or redis://….'),
    neighbours: z
      .string()
      .min(1)
      .optional()
      .describe(
        '`postgres://…` of a PostgreSQL with pgvector that keeps and searches embeddings; in memory where it is left out.',
      ),
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('Address to listen on. Any but those of this machine alone needs `keys`.'),
    port: z.int().min(0).max(65_535).default(8080).describe('Port to listen on; 0 for any that is free.'),
    keys: z
      .string()
      .min(1)
      .optional()
      .describe('JSON file of keys that `courier key create` makes. With it every request needs one.'),
    exports: z
      .string()
      .min(1)
      .optional()
      .describe('Folder of exports that `POST /v1/exports` may name; without it none can be opened so.'),
    experiment: z
      .string()
      .min(1)
      .optional()
      .describe('JSON file of an experiment: its arms answer the users that they are dealt.'),
    outcomes: z
      .string()
      .min(1)
      .optional()
      .describe('Folder for exposures, clicks and orders as `courier experiment report` reads them.'),
    deadline: milliseconds
      .min(1)
      .default(2000)
      .describe('Milliseconds for an answer where the request does not say otherwise.'),
    drain: milliseconds
      .default(0)
      .describe('Milliseconds for which requests are taken after `/readyz` says that none should come.'),
    grace: milliseconds
      .default(10_000)
      .describe('Milliseconds after which open connections are cut when the server stops.'),
    rateLimit: z
      .int()
      .min(1)
      .nullable()
      .optional()
      .describe(
        'Requests a minute for a key, or for an address without one; null for any number. Left out: 60,000 where other machines can ask, any number else.',
      ),
    bodyBytes: z
      .int()
      .min(32 * 1024 * 1024)
      .default(256 * 1024 * 1024)
      .describe(
        'Bytes of bodies that are in memory at a time, at most; what comes beyond is told to come again.',
      ),
    photos: z
      .int()
      .min(1)
      .max(1024)
      .default(8)
      .describe('Photos that are fetched and decoded at a time; what comes beyond is told to come again.'),
    window: milliseconds
      .default(serviceDefaults.window)
      .describe('Milliseconds that a request waits at most for company in its batch.'),
    batchRows: z
      .int()
      .min(1)
      .default(serviceDefaults.batchRows)
      .describe('Candidates in a run of the model, at most.'),
    queueRows: z
      .int()
      .min(1)
      .default(serviceDefaults.queueRows)
      .describe('Candidates that wait, at most; what comes beyond is told to come again.'),
    refresh: milliseconds
      .min(1)
      .default(serviceDefaults.refresh)
      .describe('Milliseconds from one look at what other replicas recorded to the next.'),
    retention: z
      .int()
      .min(0)
      .default(serviceDefaults.retention)
      .describe('Milliseconds for which entries of the log are kept that the export knows.'),
    threads: z
      .int()
      .min(1)
      .optional()
      .describe('Threads that share an operator of a model; all cores where it is left out.'),
    logLevel: z
      .enum(logLevels)
      .default('info')
      .describe('What the log holds; `info` has a line for each request.'),
    logUsers: z
      .boolean()
      .default(false)
      .describe('Whether the log names users; without it they are hashed, otherwise at each start.'),
  })
  .refine(({ host, keys }) => isLoopback(host) || keys !== undefined, {
    path: ['keys'],
    message: 'is needed where other machines can ask: make one with `courier key create`',
  })
  .refine(({ experiment, outcomes }) => experiment === undefined || outcomes !== undefined, {
    path: ['outcomes'],
    message: 'is needed for an experiment, or nothing would be known of it',
  });

export type ServeConfigInput = z.input<typeof serveConfig>;
export type ServeConfig = z.output<typeof serveConfig>;

/** @throws CourierError CONFIG_INVALID */
export function parseServeConfig(value: unknown): ServeConfig {
  return parseConfig(serveConfig, value, 'server configuration');
}

/** Whether only this machine can ask what listens there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

const usualRateLimit = 60_000;

/** Requests a minute; null for any number. */
export function rateLimitOf({ rateLimit, host }: ServeConfig): number | null {
  if (rateLimit !== undefined) return rateLimit;
  return isLoopback(host) ? null : usualRateLimit;
}
