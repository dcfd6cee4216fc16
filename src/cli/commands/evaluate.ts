import type { Command } from 'commander';
import { parseConfig } from '../../config.ts';
import { evaluateConfig } from '../../pipelines/evaluate/config.ts';
import { evaluate } from '../../pipelines/evaluate/index.ts';
import { evaluationSentences, modelOf } from '../../report/evaluation.ts';
import { decimals, oneLine } from '../../text.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { collectSettings, list, namedFiles } from '../settings.ts';

interface Options extends CommonOptions {
  readonly dataset?: string;
  readonly predictions?: Readonly<Record<string, string>>;
  readonly exposures?: string;
  readonly models?: string[];
  readonly sliceBy?: string;
  readonly out?: string;
}

export function evaluateCommand(terminal: Terminal, outcome: Outcome): Command {
  return command(
    'evaluate',
    'predictions of your own rankers → which is better, where, and whether chance does it',
    [
      'courier evaluate --dataset datasets/shop --predictions prod=a.csv,new=b.parquet --slice-by category --out runs/evaluation',
      'courier evaluate --exposures predicted.parquet --models prod,with-images --out runs/evaluation',
    ],
  )
    .option('--dataset <folder>', 'dataset folder that ingest wrote')
    .option(
      '--predictions <files>',
      'name=FILE of each model, separated by commas; the first is what the others are compared with. Columns: log_row (and log) or user, item, time; score',
      (text: string) => namedFiles(text),
    )
    .option(
      '--exposures <file>',
      'without a dataset: a row for each exposure, with user, clicked, page_view or time, and probabilities of each model',
    )
    .option('--models <columns>', 'columns of predictions in that file, the first to compare with', list)
    .option('--slice-by <category>', 'category column whose values are slices')
    .option('--out <folder>', 'folder for evaluation.html and evaluation.json')
    .action((options: Options) =>
      execute(options, terminal, outcome, async ({ print, ...context }) => {
        const { json: _json, config: _config, set: _set, ...own } = options;
        const settings = await collectSettings(options, own);
        const config = parseConfig(evaluateConfig, settings, 'evaluate configuration');
        const { json, html, evaluation } = await evaluate(config, context);
        const aucs = evaluation.rows.map((row) => {
          const auc = row.auc.kind === 'value' ? decimals(row.auc.value.mean, 4) : oneLine(row.auc.why);
          return `  ${oneLine(modelOf(row), 40)}: AUC ${auc}`;
        });
        print([...evaluationSentences(evaluation), ...aucs, `Page: ${html}`, `JSON: ${json}`].join('\n'));
        return { page: html, evaluation: json, rows: evaluation.rows, models: evaluation.models };
      }),
    );
}
