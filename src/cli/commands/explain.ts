import type { Command } from 'commander';
import { parseConfig } from '../../config.ts';
import { splits } from '../../data/dataset.ts';
import { explainConfig, ownName } from '../../pipelines/explain/config.ts';
import { explain } from '../../pipelines/explain/index.ts';
import { attentionSentence } from '../../report/attention.ts';
import type { Explanation } from '../../report/explanation.ts';
import { decimals, oneLine } from '../../text.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { collectSettings, namedFiles, number } from '../settings.ts';

interface Options extends CommonOptions {
  readonly dataset?: string;
  readonly encoderRun?: string;
  readonly embeddings?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly item?: string;
  readonly clicks?: number | string;
  readonly split?: string;
  readonly seed?: number | string;
  readonly out?: string;
}

export function explainCommand(terminal: Terminal, outcome: Outcome): Command {
  return command('explain', 'encoder → which earlier clicks rebuild a click, as pictures and JSON', [
    'courier explain --dataset datasets/shop --encoder-run runs/encoder --out runs/explain',
    [
      'courier explain --dataset datasets/shop --encoder-run runs/encoder',
      '--embeddings runs/embeddings.parquet --split test --clicks 20 --out runs/explain-test',
    ].join(' \\\n'),
  ])
    .option('--dataset <folder>', 'dataset folder that ingest wrote')
    .option('--encoder-run <folder>', 'run folder of pretrain, with encoder.onnx and attention.onnx')
    .option(
      '--embeddings <files>',
      'embeddings of that encoder, and name=FILE of others to compare with, separated by commas',
      (text: string) => namedFiles(text, ownName),
    )
    .option('--user <id>', 'clicks of this user')
    .option('--item <id>', 'clicks on this item')
    .option('--clicks <count>', 'clicks shown at most; a random sample without --user and --item', number)
    .option('--split <name>', `${splits.join(', ')}: period of the clicks, validation unless asked otherwise`)
    .option('--seed <number>', 'where random samples come from', number)
    .option('--out <folder>', 'run folder')
    .action((options: Options) =>
      execute(options, terminal, outcome, async ({ print, ...context }) => {
        const { json: _json, config: _config, set: _set, ...own } = options;
        const settings = await collectSettings(options, own);
        const config = parseConfig(explainConfig, settings, 'explain configuration');
        const { json, html, explanation } = await explain(config, context);
        const { attention, information } = explanation;
        print(
          [
            attentionSentence(attention),
            ...describeGains(information),
            `Page: ${html}`,
            `JSON: ${json}`,
          ].join('\n'),
        );
        return { page: html, explanation: json, clicks: explanation.clicks.length, attention, information };
      }),
    );
}

function describeGains(information: Explanation['information']): readonly string[] {
  if (information.kind === 'undefined') return [information.why];
  return information.value.sources.map(
    ({ name, corrected, chance }) =>
      `${oneLine(name, 40)}: clusters tell ${bits(corrected - chance.mean)} about a click beyond chance (95 % of chance: below ${bits(chance.high - chance.mean)})`,
  );
}

function bits(value: number): string {
  return `${decimals(1000 * value, 2)} mbit`;
}
