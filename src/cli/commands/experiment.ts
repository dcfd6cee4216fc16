import { Command } from 'commander';
import { parseConfig } from '../../config.ts';
import { metricNames, metrics } from '../../experiments/metrics.ts';
import { experimentPowerConfig, experimentReportConfig } from '../../pipelines/experiment/config.ts';
import { experimentReport } from '../../pipelines/experiment/index.ts';
import { experimentPower, type PowerAnswers, type PowerResult } from '../../pipelines/experiment/power.ts';
import { experimentText } from '../../report/experiment-text.ts';
import { decimals, integer, percent } from '../../text.ts';
import {
  type CommonOptions,
  command,
  type Examples,
  exampleText,
  execute,
  type Outcome,
  type Terminal,
} from '../command.ts';
import { collectSettings, number } from '../settings.ts';

const reportExamples: Examples = [
  [
    'courier experiment report --definition experiment.json --exposures events/exposures.parquet',
    '--clicks events/clicks.parquet --orders events/orders.parquet --out runs/experiment',
  ].join(' \\\n'),
  [
    'courier experiment report --definition experiment.json --exposures events/exposures.parquet',
    '--orders events/orders.parquet --set orders.revenue=revenue --looks once --out runs/experiment-end',
  ].join(' \\\n'),
];

const powerExamples: Examples = [
  'courier experiment power --mean 21.5 --sd 64 --lift 0.01 --days 28',
  [
    'courier experiment power --exposures events/exposures.parquet --orders events/orders.parquet',
    '--metric gmv --lift 0.0088 --days 14 --set daysBefore=14',
  ].join(' \\\n'),
];

export function experimentCommand(terminal: Terminal, outcome: Outcome): Command {
  return new Command('experiment')
    .description('live experiments: which arm is better, and how many users that takes to see')
    .addHelpText('after', exampleText([reportExamples[0], powerExamples[0]]))
    .addCommand(reportCommand(terminal, outcome))
    .addCommand(powerCommand(terminal, outcome));
}

interface FileOptions extends CommonOptions {
  readonly exposures?: string;
  readonly clicks?: string;
  readonly orders?: string;
}

/** Options of files as settings: their columns are set with `--set`. */
function filesOf({ exposures, clicks, orders }: FileOptions) {
  return { 'exposures.path': exposures, 'clicks.path': clicks, 'orders.path': orders };
}

function withFiles(made: Command): Command {
  return made
    .option('--exposures <file>', 'who was shown something and when; its columns: --set exposures.user=uid …')
    .option('--clicks <file>', 'clicks, a row each; or --set exposures.clicked=COLUMN')
    .option('--orders <file>', 'orders with their revenue, a row each');
}

interface ReportOptions extends FileOptions {
  readonly definition?: string;
  readonly until?: string;
  readonly looks?: string;
  readonly out?: string;
}

function reportCommand(terminal: Terminal, outcome: Outcome): Command {
  return withFiles(
    command(
      'report',
      'definition + exposures, clicks, orders → lift of each arm, and whether it may be believed, as a page and JSON',
      reportExamples,
    ).option('--definition <file>', 'JSON file of the experiment: salt, arms, ramp, metric'),
  )
    .option('--until <time>', 'look at nothing later')
    .option('--looks <how>', 'daily: whenever somebody looks (default); once: at the planned end alone')
    .option('--out <folder>', 'folder for report.html and report.json')
    .action((options: ReportOptions) =>
      execute(options, terminal, outcome, async ({ print, ...context }) => {
        const { definition, until, looks, out } = options;
        const settings = await collectSettings(options, {
          ...filesOf(options),
          definition,
          until,
          looks,
          out,
        });
        const config = parseConfig(experimentReportConfig, settings, 'experiment configuration');
        const { json, html, report } = await experimentReport(config, context);
        print([experimentText(report), `Page: ${html}`, `JSON: ${json}`].join('\n'));
        const { arms, sampleRatio, metrics, days } = report;
        return { page: html, report: json, days, arms, sampleRatio, metrics: metrics.map(withoutCourse) };
      }),
    );
}

/** What fits into a line of JSON. */
export function withoutCourse<T extends { readonly treatments: readonly { readonly course: unknown }[] }>(
  metric: T,
) {
  return { ...metric, treatments: metric.treatments.map(({ course: _, ...treatment }) => treatment) };
}

interface PowerOptions extends FileOptions {
  readonly metric?: string;
  readonly mean?: number | string;
  readonly sd?: number | string;
  readonly lift?: number | string;
  readonly power?: number | string;
  readonly treatments?: number | string;
  readonly days?: number | string;
  readonly users?: number | string;
}

function powerCommand(terminal: Terminal, outcome: Outcome): Command {
  return withFiles(
    command(
      'power',
      'mean and spread of a metric, or a time without an experiment → users that an arm needs',
      powerExamples,
    ),
  )
    .option('--metric <name>', `${metricNames.join(', ')}, where files are read (default: gmv)`)
    .option('--mean <number>', 'mean of the metric among users, in place of files', number)
    .option('--sd <number>', 'standard deviation among users', number)
    .option('--lift <share>', 'lift to be found, relative to control: 0.01 is one percent', number)
    .option('--power <probability>', 'with which it shall be found (default: 0.8)', number)
    .option('--treatments <count>', 'arms beside control (default: 1)', number)
    .option('--days <count>', 'planned days, each with a look (default: 28)', number)
    .option('--users <count>', 'also the lift that so many users in each arm would find', number)
    .action((options: PowerOptions) =>
      execute(options, terminal, outcome, async ({ print, ...context }) => {
        const { metric, mean, sd, lift, power, treatments, days, users } = options;
        const own = { metric, mean, sd, lift, power, treatments, days, users };
        const settings = await collectSettings(options, { ...filesOf(options), ...own });
        const config = parseConfig(experimentPowerConfig, settings, 'experiment configuration');
        const result = await experimentPower(config, context);
        print(describePower(result).join('\n'));
        return { ...result };
      }),
    );
}

function describePower(result: PowerResult): readonly string[] {
  const { metric, baseline, lift, power, treatments, days, plain, cuped } = result;
  const { mean, sd, users, explained } = baseline;
  const files = users === null ? '' : `${metrics[metric].title} of ${integer(users)} users in ${days} days: `;
  return [
    `${files}mean ${decimals(mean, 4)}, standard deviation ${decimals(sd, 4)}${
      explained > 0 ? `; the time before explains ${percent(explained)} of the variance` : ''
    }`,
    `To find a lift of ${decimals(100 * lift, 2)} % with a probability of ${percent(power)}, ${treatments + 1} arms:`,
    ...describeAnswers('', plain, days),
    ...(cuped === null ? [] : describeAnswers(', with CUPED', cuped, days)),
  ];
}

function describeAnswers(how: string, { fixed, sequential }: PowerAnswers, days: number): string[] {
  const cost = sequential.usersPerArm / fixed.usersPerArm;
  const found = (share: number) => `${decimals(100 * share, 2)} %`;
  return [
    `  looked at once, at the end${how}: ${integer(fixed.usersPerArm)} users an arm`,
    `  looked at on each of ${days} days${how}: ${integer(sequential.usersPerArm)} users an arm, ${decimals(cost, 2)} times as many; with the lift there, known after ${decimals(sequential.meanTime * days, 1)} days on average`,
    ...(fixed.detectable === null || sequential.detectable === null
      ? []
      : [
          `  the users given${how} find ${found(fixed.detectable)} looked at once, ${found(sequential.detectable)} looked at daily`,
        ]),
  ];
}
