import type { Command } from 'commander';
import { parseConfig } from '../../config.ts';
import { featureNames } from '../../features/index.ts';
import { rankConfig } from '../../pipelines/rank/config.ts';
import { rank } from '../../pipelines/rank/index.ts';
import { terminalFailures } from '../../report/failures.ts';
import {
  coverageSentence,
  leakSentence,
  uncomparableSentence,
  unlearnedSentence,
} from '../../report/headline.ts';
import { terminalTable } from '../../report/terminal.ts';
import { writeReport } from '../../report/write.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { collectSettings, list, namedFiles, seeds } from '../settings.ts';

interface Options extends CommonOptions {
  readonly dataset?: string;
  readonly embeddings?: Readonly<Record<string, string>>;
  readonly features?: string[];
  readonly seeds?: number[];
  readonly out?: string;
  readonly export?: string;
}

export function rankCommand(terminal: Terminal, outcome: Outcome): Command {
  return command('rank', 'dataset + features → CTR model, metrics', [
    [
      'courier rank --dataset datasets/shop --embeddings runs/embeddings.parquet',
      '--features vector,sim-score --seeds 3 --out runs/rank',
    ].join(' \\\n'),
    [
      'courier rank --dataset datasets/shop --embeddings runs/embeddings.parquet',
      '--features sim-score --export sim-score --set ranker.ranker=dcnv2 --out runs/serving',
    ].join(' \\\n'),
  ])
    .option('--dataset <folder>', 'dataset folder that ingest wrote')
    .option(
      '--embeddings <files>',
      'item embeddings of any encoder: one file, or name=FILE separated by commas; Parquet, CSV, vectors.npy:ids.csv, safetensors; FILE#id=COLUMN&vector=COLUMN names columns',
      (text: string) => namedFiles(text, 'embeddings'),
    )
    .option('--features <names>', `none, ${featureNames.join(', ')}; separated by commas, joined by +`, list)
    .option('--seeds <count>', 'number of seeds, or seeds separated by commas', seeds)
    .option('--out <folder>', 'run folder')
    .option(
      '--export <features>',
      'features whose ranker is written for a server, into export/ of the run folder',
    )
    .action((options: Options) =>
      execute(
        options,
        terminal,
        outcome,
        async ({ print, group, ...context }) => {
          const { dataset, embeddings, features, seeds, out } = options;
          const own = { dataset, embeddings, features, seeds, out, export: options.export };
          const settings = await collectSettings(options, own);
          const config = parseConfig(rankConfig, settings, 'rank configuration');
          const { report, exported } = await rank(config, context);
          if (group.rank > 0) return {};
          const { json, html } = await writeReport(config.out, report);
          const texts = [
            terminalTable(report.rows),
            leakSentence(report),
            unlearnedSentence(report),
            uncomparableSentence(report),
            coverageSentence(report),
            `Report: ${html}`,
            terminalFailures(report.failures),
          ];
          print(`\n${texts.filter((text) => text !== null).join('\n\n')}`);
          if (exported !== null) print(`Exported: ${exported.folder}`);
          return {
            report: json,
            html,
            rows: report.rows,
            failures: report.failures,
            ...(exported === null ? {} : { export: exported }),
          };
        },
        'all processes',
      ),
    );
}
