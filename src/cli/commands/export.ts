import type { Command } from 'commander';
import { parseConfig } from '../../config.ts';
import { exportConfig } from '../../pipelines/export/config.ts';
import { exportServing } from '../../pipelines/export/index.ts';
import { integer } from '../../text.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { collectSettings } from '../settings.ts';

interface Options extends CommonOptions {
  readonly dataset?: string;
  readonly ranker?: string;
  readonly embeddings?: string;
  readonly encoder?: string;
  readonly attention?: string;
  readonly until?: string;
  readonly out?: string;
}

export function exportCommand(terminal: Terminal, outcome: Outcome): Command {
  return command('export', 'dataset + ranker + embeddings → a folder with all that a service needs', [
    [
      'courier export --dataset datasets/shop --ranker runs/serving/export',
      '--embeddings runs/embeddings.parquet --out exports/shop',
    ].join(' \\\n'),
    [
      'courier export --dataset datasets/shop --ranker runs/serving/export',
      '--embeddings runs/embeddings.parquet --encoder runs/encoder/encoder.onnx --out exports/shop',
    ].join(' \\\n'),
  ])
    .option('--dataset <folder>', 'dataset folder that ingest wrote: catalogue, counters, histories')
    .option('--ranker <folder>', 'folder that `rank --export` wrote')
    .option('--embeddings <file>', 'the item embeddings that the ranker was trained with')
    .option('--encoder <file>', 'the encoder.onnx that made them, for photos of new items')
    .option(
      '--attention <file>',
      'the attention.onnx beside it, to tell from which clicks a candidate is rebuilt',
    )
    .option('--until <time>', 'leave out of the state what happened from this moment on')
    .option('--out <folder>', 'folder to write')
    .action((options: Options) =>
      execute(options, terminal, outcome, async ({ print, ...context }) => {
        const { json: _json, config: _config, set: _set, ...own } = options;
        const settings = await collectSettings(options, own);
        const config = parseConfig(exportConfig, settings, 'export configuration');
        const { folder, items, users, until, embedsPhotos } = await exportServing(config, context);
        print(
          [
            `${integer(items)} items and ${integer(users)} users, with what happened before ${new Date(until).toISOString()}`,
            embedsPhotos ? 'Photos of new items can be embedded.' : 'New items come with their embeddings.',
            `Export: ${folder}`,
          ].join('\n'),
        );
        return { export: folder, items, users, until: new Date(until).toISOString(), embedsPhotos };
      }),
    );
}
