/**
 * Real input: COURIER on the public H&M sample, from a folder that you name.
 *
 *     npm run --silent example:hm -- --data FOLDER --out DIR --seeds 3 --json
 */
import { join } from 'node:path';
import { Command } from 'commander';
import { type CommonOptions, execute, type Outcome } from '../../src/cli/command.ts';
import { seeds } from '../../src/cli/settings.ts';
import { compare } from '../../src/pipelines/compare.ts';
import { ingest } from '../../src/pipelines/ingest.ts';
import { terminalTable } from '../../src/report/terminal.ts';
import { writeReport } from '../../src/report/write.ts';
import { hmSettings } from './settings.ts';

interface Options extends CommonOptions {
  readonly data: string;
  readonly out: string;
  readonly seeds: number[];
}

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const words = process.argv.slice(2);
const terminal = {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
  program: 'npm run example:hm --',
  words,
};
const outcome: Outcome = { exitCode: 0 };

await new Command('example:hm')
  .description('Ingests the H&M sample with protocol hm-v1 and compares what images add.')
  .requiredOption('--data <folder>', 'folder with transactions.csv, articles.csv and images')
  .option('--out <folder>', 'folder for the dataset and the run', 'runs/hm')
  .option('--seeds <count>', 'number of seeds, or seeds separated by commas', seeds, [1, 2, 3])
  .option('--json', 'end standard output with one JSON object')
  .action((options: Options) =>
    execute(options, terminal, outcome, async ({ print, ...context }) => {
      const dataset = join(options.out, 'dataset');
      await ingest({ source: 'hm', folder: options.data, out: dataset }, context.progress);
      const run = join(options.out, 'run');
      const settings = { ...hmSettings, dataset, out: run, seeds: options.seeds };
      const { report } = await compare(settings, { ...context, title: 'What photos add on the H&M sample' });
      const { json, html } = await writeReport(options.out, report);
      print(`\n${terminalTable(report.rows)}\n\nReport: ${html}`);
      return { report: json, html, rows: report.rows };
    }),
  )
  .parseAsync(words, { from: 'user' });
process.exitCode = outcome.exitCode;
