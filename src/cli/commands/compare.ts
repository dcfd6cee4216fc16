import type { Command } from 'commander';
import { parseConfig } from '../../config.ts';
import { featureNames } from '../../features/index.ts';
import { compare } from '../../pipelines/compare.ts';
import { compareConfig } from '../../pipelines/compare-config.ts';
import { defaultSources, sourceNames } from '../../pipelines/embedding-sources.ts';
import { terminalTable } from '../../report/terminal.ts';
import { writeReport } from '../../report/write.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { collectSettings, list, seeds } from '../settings.ts';

interface Options extends CommonOptions {
  readonly dataset?: string;
  readonly objectives?: string[];
  readonly features?: string[];
  readonly seeds?: number[];
  readonly out?: string;
}

export function compareCommand(terminal: Terminal, outcome: Outcome): Command {
  return command('compare', 'sources of embeddings × features × seeds → the table with confidence intervals')
    .option('--dataset <folder>', 'dataset folder that ingest wrote')
    .option(
      '--objectives <names>',
      `${sourceNames.join(', ')}; separated by commas (default: ${defaultSources.join(',')})`,
      list,
    )
    .option(
      '--features <names>',
      `${featureNames.join(', ')}; separated by commas, joined by + (default: sim-score)`,
      list,
    )
    .option('--seeds <count>', 'number of seeds, or seeds separated by commas (default: 3)', seeds)
    .option('--out <folder>', 'run folder; the same command on the same folder resumes')
    .action((options: Options) =>
      execute(options, terminal, outcome, async ({ print, ...context }) => {
        const { dataset, objectives, features, seeds, out } = options;
        const settings = await collectSettings(options, { dataset, objectives, features, seeds, out });
        const config = parseConfig(compareConfig, settings, 'compare configuration');
        const { report } = await compare(config, {
          ...context,
          title: `What images add on ${config.dataset}`,
        });
        const { json, html } = await writeReport(config.out, report);
        print(`\n${terminalTable(report.rows)}\n\nReport: ${html}`);
        return { report: json, html, rows: report.rows };
      }),
    );
}
