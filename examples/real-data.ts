/** What the examples on real data share: ingest a folder that you name, compare what images add, report. */
import { join } from 'node:path';
import { Command } from 'commander';
import { type CommonOptions, execute, type Outcome } from '../src/cli/command.ts';
import { seeds } from '../src/cli/settings.ts';
import { compare } from '../src/pipelines/compare.ts';
import type { CompareConfigInput } from '../src/pipelines/compare-config.ts';
import { ingest } from '../src/pipelines/ingest.ts';
import { terminalTable } from '../src/report/terminal.ts';
import { writeReport } from '../src/report/write.ts';

export interface RealDataExample {
  /** Adapter that reads the folder; the example is named after it. */
  readonly source: 'hm' | 'ml1m';
  readonly description: string;
  /** What `--data` has to hold. */
  readonly folder: string;
  /** Heading of the report. */
  readonly title: string;
  readonly settings: Omit<CompareConfigInput, 'dataset' | 'out' | 'seeds'>;
}

interface Options extends CommonOptions {
  readonly data: string;
  readonly out: string;
  readonly seeds: number[];
}

/** Runs an example with the words of the command line, and sets the exit code. */
export async function runExample(example: RealDataExample): Promise<void> {
  const { source, description, folder, title, settings } = example;
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const words = process.argv.slice(2);
  const terminal = {
    stdout: process.stdout,
    stderr: process.stderr,
    signal: stop.signal,
    program: `npm run example:${source} --`,
    words,
  };
  const outcome: Outcome = { exitCode: 0 };
  await new Command(`example:${source}`)
    .description(description)
    .requiredOption('--data <folder>', folder)
    .option('--out <folder>', 'folder for the dataset and the run', `runs/${source}`)
    .option('--seeds <count>', 'number of seeds, or seeds separated by commas', seeds, [1, 2, 3])
    .option('--json', 'end standard output with one JSON object')
    .action((options: Options) =>
      execute(options, terminal, outcome, async ({ print, ...context }) => {
        const dataset = join(options.out, 'dataset');
        await ingest({ source, folder: options.data, out: dataset }, context.progress);
        const run = { dataset, out: join(options.out, 'run'), seeds: options.seeds };
        const { report } = await compare({ ...settings, ...run }, { ...context, title });
        const { json, html } = await writeReport(options.out, report);
        print(`\n${terminalTable(report.rows)}\n\nReport: ${html}`);
        return { report: json, html, rows: report.rows };
      }),
    )
    .parseAsync(words, { from: 'user' });
  process.exitCode = outcome.exitCode;
}
