import type { Command } from 'commander';
import { parseConfig } from '../../config.ts';
import { embed, embedConfig } from '../../pipelines/embed.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { collectSettings } from '../settings.ts';

interface Options extends CommonOptions {
  readonly dataset?: string;
  readonly encoder?: string;
  readonly out?: string;
}

export function embedCommand(terminal: Terminal, outcome: Outcome): Command {
  return command('embed', 'encoder → embeddings of the whole catalogue')
    .option('--dataset <folder>', 'dataset folder that ingest wrote')
    .option('--encoder <file>', 'encoder.onnx that pretrain wrote')
    .option('--out <file>', 'Parquet file to write')
    .action((options: Options) =>
      execute(options, terminal, outcome, async ({ print, progress }) => {
        const { dataset, encoder, out } = options;
        const settings = await collectSettings(options, { dataset, encoder, out });
        const result = await embed(parseConfig(embedConfig, settings, 'embed configuration'), progress);
        print(`${result.items} embeddings of length ${result.dimension}: ${result.embeddings}`);
        return { ...result };
      }),
    );
}
