import type { Command } from 'commander';
import { parseConfig } from '../../config.ts';
import { demoConfig } from '../../demo/config.ts';
import { demo } from '../../demo/index.ts';
import { demoLive } from '../../demo/live/index.ts';
import { experimentText } from '../../report/experiment-text.ts';
import { unlearnedSentence } from '../../report/headline.ts';
import { simulationLines } from '../../report/simulation.ts';
import { terminalTable } from '../../report/terminal.ts';
import { writeReport } from '../../report/write.ts';
import { percent } from '../../text.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { collectSettings } from '../settings.ts';
import { withoutCourse } from './experiment.ts';

interface Options extends CommonOptions {
  readonly live?: boolean;
  readonly out?: string;
}

export function demoCommand(terminal: Terminal, outcome: Outcome): Command {
  return command('demo', 'a generated shop, the whole pipeline, a report', [
    'courier demo --set compare.examples=8',
    'courier demo --live',
  ])
    .option('--live', 'an experiment in place of a comparison: a server, shoppers, and two arms')
    .option(
      '--out <folder>',
      'folder for the shop, the dataset and the run (default: runs/demo, or runs/live)',
    )
    .action((options: Options) =>
      execute(options, terminal, outcome, async ({ print, ...context }) => {
        const settings = await collectSettings(options, { out: options.out });
        if (options.live === true) {
          const { json, html, report } = await demoLive(settings, context);
          print([experimentText(report), ...simulationLines(report), `Report: ${html}`].join('\n'));
          const { arms, sampleRatio, metrics, simulation } = report;
          return { report: json, html, arms, sampleRatio, metrics: metrics.map(withoutCourse), simulation };
        }
        const config = parseConfig(demoConfig, settings, 'demo configuration');
        const report = await demo(config, context);
        const { json, html } = await writeReport(config.out, report);
        print(`\n${terminalTable(report.rows)}\n`);
        const unlearned = unlearnedSentence(report);
        if (unlearned !== null) print(unlearned);
        const { attention } = report;
        if (attention !== null) {
          const [hits, chance] = [percent(attention.hitRate), percent(attention.chance)];
          print(
            `Attention points at the earlier click that shares the taste in ${hits} of ${attention.clicks} test clicks; chance would be ${chance}.`,
          );
        }
        print(`Report: ${html}`);
        return { report: json, html, rows: report.rows, attention };
      }),
    );
}
