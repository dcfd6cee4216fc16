import type { Command } from 'commander';
import { doneByFirst } from '../../collectives/order.ts';
import { withoutOthers } from '../../collectives/world.ts';
import { parseConfig } from '../../config.ts';
import { readRecipe } from '../../data/recipes.ts';
import { featureNames } from '../../features/index.ts';
import { compareConfig } from '../../pipelines/compare/config.ts';
import { compare, planComparison } from '../../pipelines/compare/index.ts';
import { describePlan, estimateTime } from '../../pipelines/compare/plan.ts';
import { describeSearches } from '../../pipelines/compare/search.ts';
import { terminalFailures } from '../../report/failures.ts';
import {
  coverageSentence,
  leakSentence,
  uncomparableSentence,
  unlearnedSentence,
} from '../../report/headline.ts';
import { rivalSentence } from '../../report/rival.ts';
import { screeningSentence } from '../../report/screening.ts';
import { terminalSizes } from '../../report/sizes.ts';
import { terminalTable } from '../../report/terminal.ts';
import { writeReport } from '../../report/write.ts';
import { defaultSources, sourceNames } from '../../training/source-names.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { dataMissing, datasetFolder } from '../data-folder.ts';
import { collectSettings, list, namedFiles, number, seeds, setBackbone } from '../settings.ts';

interface Options extends CommonOptions {
  readonly dataset?: string;
  readonly data?: string;
  readonly recipe?: string;
  readonly sources?: string[];
  readonly backbone?: string;
  readonly embeddings?: Readonly<Record<string, string>>;
  readonly features?: string[];
  readonly sizes?: readonly string[];
  readonly screen?: number | string | true;
  readonly seeds?: number[];
  readonly tune?: number;
  readonly out?: string;
  readonly plan?: boolean;
}

export function compareCommand(terminal: Terminal, outcome: Outcome): Command {
  return command(
    'compare',
    'sources of embeddings × features × seeds → the table with confidence intervals',
    [
      'courier compare --dataset datasets/shop --features sim-score+vector --seeds 3 --out runs/compare',
      'courier compare --recipe hm --data hm --plan --out runs/hm',
    ],
  )
    .option('--dataset <folder>', 'dataset folder that ingest wrote')
    .option(
      '--data <folder>',
      'files that are ingested first (for --plan too), into the run folder; or a dataset folder',
    )
    .option('--recipe <name>', 'how the files of --data are read and compared: a known name, or a file')
    .option(
      '--sources <names>',
      `${sourceNames.join(', ')}; separated by commas (default: ${defaultSources.join(',')})`,
      list,
    )
    .option('--backbone <file>', 'ONNX file of a pretrained image model, of whose features a head is learned')
    .option(
      '--embeddings <files>',
      'embeddings of others as further rows: name=FILE, separated by commas; Parquet, CSV, vectors.npy:ids.csv, safetensors; FILE#id=COLUMN&vector=COLUMN names columns',
      (text: string) => namedFiles(text),
    )
    .option(
      '--features <names>',
      `${featureNames.join(', ')}; separated by commas, joined by + (default: sim-score)`,
      list,
    )
    .option(
      '--sizes <sizes>',
      'learned embeddings at smaller sizes, too: 64 for the first 64 numbers, int8, 64-int8; separated by commas',
      list,
    )
    .option(
      '--screen [count]',
      'train rankers only for so many sources, the best by SimScore AUC on the validation period (without a count: 3)',
      number,
    )
    .option('--seeds <count>', 'number of seeds, or seeds separated by commas (default: 3)', seeds)
    .option(
      '--tune <count>',
      'first search settings of pre-training on the validation period, so many for each objective alike',
      number,
    )
    .option('--out <folder>', 'run folder; the same command on the same folder resumes')
    .option('--plan', 'only say what would be computed, what is there, and how long the rest takes')
    .action((options: Options) =>
      execute(
        options,
        terminal,
        outcome,
        async ({ print, group, ...context }) => {
          const { dataset, sources, embeddings, features, sizes, seeds, out } = options;
          const { data } = options;
          if (options.recipe !== undefined && data === undefined) throw dataMissing();
          const recipe =
            options.recipe === undefined || data === undefined
              ? null
              : await readRecipe(options.recipe, data);
          const keep = options.screen === true ? undefined : options.screen;
          const own = {
            dataset,
            sources,
            embeddings,
            features,
            sizes,
            'screen.keep': keep,
            seeds,
            'tune.budget': options.tune,
            out,
          };
          const settings = await collectSettings(options, own, recipe?.compare);
          if (options.screen === true) settings['screen'] ??= {};
          setBackbone(settings, ['pretrain', 'encoder'], options.backbone);
          if (options.backbone !== undefined) settings['sources'] ??= [...defaultSources, 'backbone'];
          if (data !== undefined)
            settings['dataset'] = await doneByFirst(group, () =>
              withoutOthers(() => datasetFolder(data, recipe, settings['out'], context)),
            );
          const config = parseConfig(compareConfig, settings, 'compare configuration');
          if (options.plan === true) {
            const tasks = await planComparison(config, context);
            print([...describeSearches(config), ...describePlan(tasks, config.screen !== null)].join('\n'));
            return { plan: { tasks, estimate: estimateTime(tasks) } };
          }
          const { report } = await compare(config, context);
          if (group.rank > 0) return {};
          const { json, html } = await writeReport(config.out, report);
          const { rows, sizes: sized, screening, versusBestOther, failures } = report;
          const texts = [
            terminalTable(rows),
            terminalSizes(report),
            screeningSentence(report),
            leakSentence(report),
            unlearnedSentence(report),
            uncomparableSentence(report),
            coverageSentence(report),
            rivalSentence(report),
            `Report: ${html}`,
            terminalFailures(failures),
          ];
          print(`\n${texts.filter((text) => text !== null).join('\n\n')}`);
          return { report: json, html, rows, sizes: sized, screening, versusBestOther, failures };
        },
        'all processes',
      ),
    );
}
