import type { Command } from 'commander';
import { parseConfig } from '../../config.ts';
import { featureNames } from '../../features/index.ts';
import { featuresConfig } from '../../pipelines/features/config.ts';
import { features } from '../../pipelines/features/index.ts';
import { integer } from '../../text.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { collectSettings, list } from '../settings.ts';

interface Options extends CommonOptions {
  readonly dataset?: string;
  readonly embeddings?: string;
  readonly features?: string[];
  readonly out?: string;
}

export function featuresCommand(terminal: Terminal, outcome: Outcome): Command {
  return command(
    'features',
    'dataset + embeddings → features of every exposure for a ranker of your own, by row of the log',
    [
      'courier features --dataset datasets/shop --embeddings runs/embeddings.parquet --out runs/features.parquet',
      'courier features --dataset datasets/shop --embeddings clip.npy:ids.csv --features sim-score,sim-tier,cluster-id --out runs/features.parquet',
    ],
  )
    .option('--dataset <folder>', 'dataset folder that ingest wrote')
    .option('--embeddings <file>', 'item embeddings, of any encoder')
    .option(
      '--features <names>',
      `${featureNames.join(', ')}; separated by commas (default: sim-score)`,
      list,
    )
    .option('--out <file>', 'Parquet file to write; what its columns mean is written beside it as JSON')
    .action((options: Options) =>
      execute(options, terminal, outcome, async ({ print, ...context }) => {
        const { json: _json, config: _config, set: _set, ...own } = options;
        const settings = await collectSettings(options, own);
        const config = parseConfig(featuresConfig, settings, 'features configuration');
        const { parquet, json, description } = await features(config, context);
        print(
          [
            `${integer(description.rows)} exposures with ${integer(description.columns.length)} columns`,
            `Features: ${parquet}`,
            `What they mean: ${json}`,
          ].join('\n'),
        );
        return { features: parquet, description: json, rows: description.rows, columns: description.columns };
      }),
    );
}
