import type { Command } from 'commander';
import { parseConfig } from '../../config.ts';
import { describeConfig } from '../../pipelines/describe/config.ts';
import { describe } from '../../pipelines/describe/index.ts';
import { headingOf, outcomeOf } from '../../report/data-page.ts';
import type { DataReport } from '../../report/data-report.ts';
import { integer, oneLine, percent } from '../../text.ts';
import { type CommonOptions, command, execute, type Outcome, type Terminal } from '../command.ts';
import { collectSettings, number } from '../settings.ts';

interface Options extends CommonOptions {
  readonly dataset?: string;
  readonly values?: number | string;
  readonly out?: string;
}

export function describeCommand(terminal: Terminal, outcome: Outcome): Command {
  return command(
    'describe',
    'dataset → what is in it, and what in it gives answers away, as a page and JSON',
    [
      'courier describe --dataset datasets/shop --out runs/data',
      'courier describe --dataset datasets/shop --set photos=30 --set photoExposures=100 --out runs/data',
    ],
  )
    .option('--dataset <folder>', 'dataset folder that ingest wrote')
    .option('--values <count>', 'values of a category, and positions, shown at most (default: 15)', number)
    .option('--out <folder>', 'folder for data.html and data.json')
    .action((options: Options) =>
      execute(options, terminal, outcome, async ({ print, ...context }) => {
        const { json: _json, config: _config, set: _set, ...own } = options;
        const settings = await collectSettings(options, own);
        const config = parseConfig(describeConfig, settings, 'describe configuration');
        const { json, html, report } = await describe(config, context);
        print([...summary(report), `Page: ${html}`, `JSON: ${json}`].join('\n'));
        return { page: html, data: json, leaks: report.leaks, clickRate: report.clickRate };
      }),
    );
}

/** Up to the minute. */
function minute(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

function summary(report: DataReport): readonly string[] {
  const { period, clickRate, withPhoto, histories, heavyUsers, leaks } = report;
  const test = histories.find(({ split }) => split === 'test')?.shares[0] ?? 0;
  return [
    headingOf(report),
    `From ${period.first.slice(0, 10)} to ${period.last.slice(0, 10)}; validation from ${minute(period.validationFrom)}, test from ${minute(period.testFrom)} UTC`,
    `Clicked: ${percent(clickRate)} of the exposures; with a photo: ${percent(withPhoto.exposures)} of the exposures, ${percent(withPhoto.clicks)} of the clicks`,
    `Without a history: ${percent(test)} of the test page views`,
    ...heavyUsers.map(
      ({ user, exposures, clicks, why }) =>
        `  User ${oneLine(user, 40)}: ${integer(exposures)} exposures, ${integer(clicks)} clicks, ${why}`,
    ),
    'Looked for what gives answers away:',
    ...leaks.map((check) => {
      const { outcome } = check;
      const found = outcome.kind === 'counted' ? `${integer(outcome.found)} of ${integer(outcome.of)}: ` : '';
      return `  ${oneLine(check.what, 200)}: ${found}${outcomeOf(check)}`;
    }),
  ];
}
