import { once } from 'node:events';
import type { Command } from 'commander';
import { collectForAnswers } from '../../server/collector.ts';
import { parseServeConfig } from '../../server/config.ts';
import { startServer } from '../../server/server.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { collectSettings, number } from '../settings.ts';

interface Options extends CommonOptions {
  readonly export?: string;
  readonly state?: string;
  readonly neighbours?: string;
  readonly host?: string;
  readonly port?: number | string;
  readonly keys?: string;
  readonly exports?: string;
  readonly experiment?: string;
  readonly outcomes?: string;
}

export function serveCommand(terminal: Terminal, outcome: Outcome): Command {
  return command('serve', 'export + state → click probabilities, embeddings and neighbours over HTTP', [
    'courier serve --export exports/shop --state state/shop.mdb',
    [
      'courier serve --export exports/shop --state redis://redis:6379?prefix=shop',
      '--host 0.0.0.0 --keys keys.json --exports exports',
    ].join(' \\\n'),
  ])
    .option(
      '--export <folder>',
      'folder that `courier export` wrote; followed again on SIGHUP, where it is a link',
    )
    .option('--state <place>', 'where events and new items are kept: a file, or redis://…')
    .option(
      '--neighbours <place>',
      'postgres://… that keeps and searches embeddings (default: the memory of the server)',
    )
    .option('--host <address>', 'address to listen on (default: 127.0.0.1); any other needs --keys')
    .option('--port <number>', 'port to listen on (default: 8080); 0 for any that is free', number)
    .option('--keys <file>', 'keys that `courier key create` makes; read again when they change')
    .option('--exports <folder>', 'folder of exports that POST /v1/exports may open')
    .option(
      '--experiment <file>',
      'JSON file of an experiment: its arms answer the users that they are dealt',
    )
    .option(
      '--outcomes <folder>',
      'where exposures, clicks and orders are kept for `courier experiment report`',
    )
    .action((options: Options) =>
      execute(options, terminal, outcome, async ({ print, signal }) => {
        const { json: _json, config: _config, set: _set, ...own } = options;
        const config = parseServeConfig(await collectSettings(options, own));
        collectForAnswers();
        const log = { write: (line: string) => void terminal.stderr.write(line) };
        const server = await startServer(config, { log });
        terminal.onHangUp(() => void server.reload());
        print(`Listening on ${server.url}; what there is: ${server.url}/docs`);
        if (!signal.aborted) await once(signal, 'abort');
        await server.close();
        return { url: server.url };
      }),
    );
}
