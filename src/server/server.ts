/** A server from its settings: opened, reloaded, and closed without leaving a request behind. */
import { hash, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { type DestinationStream, pino } from 'pino';
import type { DownloadOptions } from '../data/sources/photo-downloads.ts';
import { CourierError, hasSystemCode, messageOf } from '../errors.ts';
import { BodyMemory, Places } from './admission.ts';
import { createApp } from './app.ts';
import { Arms, readExperiment } from './arms.ts';
import { parseServeConfig, type ServeConfig, type ServeConfigInput } from './config.ts';
import type { Context } from './context.ts';
import { Keyring } from './keys.ts';
import { Metrics } from './metrics.ts';
import { OutcomeFiles } from './outcomes.ts';

export interface ServerOptions {
  /** Where the log goes, a JSON object a line; standard output without. */
  readonly log?: DestinationStream;
  /** How photos behind addresses are fetched. */
  readonly download?: DownloadOptions;
}

export interface Server {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Reads keys again, and opens the configured exports anew: what cannot be read or opened changes nothing. */
  reload(): Promise<void>;
  /** Says that no more should come, answers what was asked, and closes. */
  close(): Promise<void>;
}

/**
 * Opens an export and answers over HTTP.
 * @throws CourierError CONFIG_INVALID, FILE_NOT_FOUND, OUTPUT_IN_USE for a port that is taken, and those of `openService`
 */
export async function startServer(settings: ServeConfigInput, options: ServerOptions = {}): Promise<Server> {
  const config = parseServeConfig(settings);
  const log = pino({ level: config.logLevel, base: null }, options.log ?? pino.destination(1));
  const experiment = config.experiment === undefined ? null : await readExperiment(config.experiment);
  const complain = (error: unknown) => log.error({ reason: messageOf(error) }, 'keys cannot be read');
  const keys = config.keys === undefined ? null : await Keyring.open(config.keys, complain);
  let outcomes: OutcomeFiles | null = null;
  let arms: Arms | null = null;
  try {
    outcomes = config.outcomes === undefined ? null : await OutcomeFiles.open(config.outcomes);
    arms = await Arms.open(config, experiment);
    const bodies = new BodyMemory(config.bodyBytes);
    const context: Context = {
      ...{ config, log, arms, keys, outcomes, bodies },
      metrics: new Metrics(arms, bodies),
      photos: new Places(config.photos, 'Too many photos are sent at a time.'),
      download: options.download ?? {},
      userName: namesOf(config),
      phase: 'ready',
    };
    const app = await createApp(context);
    const url = await listen(app, config);
    return new RunningServer(url, app, context);
  } catch (error) {
    keys?.close();
    await outcomes?.close();
    await arms?.close();
    throw error;
  }
}

class RunningServer implements Server {
  readonly url: string;
  readonly #app: FastifyInstance;
  readonly #context: Context;
  #closing: Promise<void> | null = null;

  constructor(url: string, app: FastifyInstance, context: Context) {
    this.url = url;
    this.#app = app;
    this.#context = context;
  }

  async reload(): Promise<void> {
    const { keys, arms, log } = this.#context;
    await keys
      ?.reload()
      .catch((error: unknown) => log.error({ reason: messageOf(error) }, 'keys cannot be read'));
    for (const { service, folder, arm } of arms.services) {
      if (folder === null) continue;
      try {
        await service.swap(folder);
        log.info({ arm }, 'export opened');
      } catch (error) {
        log.error({ arm, reason: messageOf(error) }, 'export refused');
      }
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { config, log, arms, keys, outcomes } = this.#context;
    this.#context.phase = 'draining';
    log.info('stopping');
    await pause(config.drain);
    this.#context.phase = 'closed';
    const cut = setTimeout(() => this.#app.server.closeAllConnections(), config.grace);
    await this.#app.close();
    clearTimeout(cut);
    keys?.close();
    await arms.close();
    await outcomes?.close();
    log.info('stopped');
  }
}

/** @throws CourierError OUTPUT_IN_USE, CONFIG_INVALID */
async function listen(app: FastifyInstance, { host, port }: ServeConfig): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    await app.close();
    if (hasSystemCode(error, 'EADDRINUSE'))
      throw new CourierError(
        'OUTPUT_IN_USE',
        `Port ${port} is taken.`,
        'Stop what listens there, or set --port.',
      );
    if (hasSystemCode(error, 'EADDRNOTAVAIL', 'EACCES', 'ENOTFOUND'))
      throw new CourierError(
        'CONFIG_INVALID',
        `The server cannot listen on ${host}, port ${port}.`,
        'Set --host to an address of this machine, and --port to one above 1023.',
      );
    throw error;
  }
}

/** Hashes differ at each start, so that nobody can look a user up in old logs. */
function namesOf({ logUsers }: ServeConfig): (user: string) => string {
  if (logUsers) return (user) => user;
  const secret = randomBytes(32).toString('hex');
  return (user) => hash('sha256', `${secret} ${user}`).slice(0, 12);
}
