/** A live experiment, from its events: which arm is better, by how much, and whether it may be believed yet. */
import { join } from 'node:path';
import { parseConfig } from '../../config.ts';
import { parseTime } from '../../data/sources/time.ts';
import { CourierError } from '../../errors.ts';
import { sharesAt } from '../../experiments/assignment.ts';
import { ExperimentCourse, type Look } from '../../experiments/course.ts';
import { day, type Experiment, parseExperiment, sharesSince } from '../../experiments/definition.ts';
import { type Figure, type MetricName, metrics } from '../../experiments/metrics.ts';
import { sampleRatio } from '../../experiments/sample-ratio.ts';
import { safePlace, silent, type WorkOptions } from '../../progress.ts';
import type { ArmReport, ExperimentReport } from '../../report/experiment.ts';
import { experimentPage } from '../../report/experiment-page.ts';
import { checkFinite } from '../../report/write.ts';
import { withInput, writeFileWhole, writeJson } from '../../storage/files.ts';
import { parseJson } from '../../storage/json.ts';
import { withOutputFolder } from '../../storage/lock.ts';
import {
  type ExperimentReportConfig,
  type ExperimentReportConfigInput,
  experimentReportConfig,
} from './config.ts';
import type { Period } from './event-rows.ts';
import { type Observed, readObservations } from './observations.ts';
import { metricReport } from './summary.ts';

export const experimentFiles = { json: 'report.json', html: 'report.html' } as const;

/** A definition names arms and shares; a larger file is something else. */
const largestDefinition = 2 ** 20;

export interface ExperimentResult {
  /** Paths of the files written. */
  readonly json: string;
  readonly html: string;
  readonly report: ExperimentReport;
}

/**
 * Compares the arms of an experiment. Writes report.json and report.html into the folder.
 * @throws CourierError CONFIG_INVALID for settings, for a definition, and for a primary metric that the files do not tell;
 * those of reading the files; LOG_EMPTY, TOO_MANY_BAD_ROWS, LIMIT_EXCEEDED, OUTPUT_IN_USE, OUTPUT_NOT_WRITABLE
 */
export async function experimentReport(
  settings: ExperimentReportConfigInput,
  options: WorkOptions = {},
): Promise<ExperimentResult> {
  const config = parseConfig(experimentReportConfig, settings, 'experiment configuration');
  const experiment = await readDefinition(config.definition);
  const report = await reportOn(experiment, config, options);
  return writeExperimentReport(config.out, report);
}

/** @throws CourierError OUTPUT_IN_USE, OUTPUT_NOT_WRITABLE */
export function writeExperimentReport(out: string, report: ExperimentReport): Promise<ExperimentResult> {
  checkFinite(report, 'report');
  const [json, html] = [join(out, experimentFiles.json), join(out, experimentFiles.html)];
  return withOutputFolder(out, async () => {
    await writeJson(json, report);
    await writeFileWhole(html, experimentPage(report));
    return { json, html, report };
  });
}

async function readDefinition(path: string): Promise<Experiment> {
  const text = await withInput(path, 'Experiment definition', async (file) => {
    const { size } = await file.stat();
    return size > largestDefinition ? '' : file.readFile('utf8');
  });
  const value = parseJson(text);
  if (typeof value === 'object' && value !== null) return parseExperiment(value);
  throw new CourierError(
    'CONFIG_INVALID',
    `${path} is not the definition of an experiment: it holds no JSON object of at most a MiB.`,
    'Write it as docs/experiments.md says.',
  );
}

async function reportOn(
  experiment: Experiment,
  config: ExperimentReportConfig,
  options: WorkOptions,
): Promise<ExperimentReport> {
  const { command = 'called as a library' } = options;
  const startedAt = new Date().toISOString();
  const names = experiment.arms.map(({ name }) => name);
  const given =
    config.until === undefined ? Number.POSITIVE_INFINITY : (parseTime(config.until) ?? Number.NaN);
  const cap = Math.min(given, experiment.end ?? Number.POSITIVE_INFINITY);
  const observed = await readObservations(
    config,
    { names, experiment: experiment.name, from: experiment.start },
    cap,
    (last) => periodOf(experiment, config, last, cap),
    options,
  );
  const { primaryMetric, plannedDays } = experiment;
  if (!observed.metrics.includes(primaryMetric)) throw withoutPrimary(primaryMetric);
  const { period, days, observations } = observed;
  const { cuped, winsorize, looks } = config;
  const course = new ExperimentCourse(observations, days, {
    ...{ plannedDays, cuped, winsorize, metrics: observed.metrics },
  });
  const all = await looksOf(course, options);
  const ends = all.map((look) => iso(Math.min(period.until, period.from + (look.day + 1) * day)));
  const users = all.at(-1)?.users ?? [];
  const shares = sharesAt(experiment, period.from);
  const ordered = [primaryMetric, ...observed.metrics.filter((name) => name !== primaryMetric)];
  return {
    name: experiment.name,
    command,
    startedAt,
    period: { start: iso(experiment.start), from: iso(period.from), until: iso(period.until) },
    days,
    plannedDays,
    looks,
    primaryMetric,
    winsorize,
    daysBefore: cuped && observations.before !== null ? config.daysBefore : null,
    arms: armsOf(names, shares, users, observed, course),
    sampleRatio: sampleRatio(users, shares),
    mixedUsers: observed.mixedUsers,
    metrics: ordered.flatMap((metric) => metricReport(metric, all, { ends, arms: names })),
    rows: observed.rows,
    understood: observed.understood,
    findings: observed.findings,
    simulation: null,
  };
}

/** From the last step of the ramp that was taken to the end of the last day on which anybody was exposed. */
function periodOf(
  experiment: Experiment,
  { daysBefore }: ExperimentReportConfig,
  last: number,
  cap: number,
): Period {
  const from = sharesSince(experiment, last + 1);
  const days = Math.floor((last - from) / day) + 1;
  return {
    beforeFrom: experiment.start - daysBefore * day,
    begin: experiment.start,
    from,
    until: Math.min(cap, from + Math.max(1, days) * day),
  };
}

async function looksOf(
  course: ExperimentCourse,
  { progress = silent, signal }: WorkOptions,
): Promise<readonly Look[]> {
  const stage = 'Compare arms';
  progress({ kind: 'start', stage, total: course.days, unit: 'days' });
  const looks: Look[] = [];
  for (let look = course.next(); look !== undefined; look = course.next()) {
    looks.push(look);
    progress({ kind: 'advance', stage, done: looks.length });
    await safePlace(signal);
  }
  progress({ kind: 'end', stage });
  return looks;
}

function armsOf(
  names: readonly string[],
  shares: readonly number[],
  users: readonly number[],
  { observations }: Observed,
  { totals }: ExperimentCourse,
): ArmReport[] {
  return names.map((name, arm) => {
    const sum = (figure: Figure) =>
      totals[figure].reduce((all, value, user) => (observations.arm[user] === arm ? all + value : all), 0);
    return {
      name,
      share: shares[arm]!,
      users: users[arm] ?? 0,
      ...{
        exposures: sum('exposures'),
        clicks: sum('clicks'),
        orders: sum('orders'),
        revenue: sum('revenue'),
      },
    };
  });
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

function withoutPrimary(metric: MetricName): CourierError {
  const needed = metric === 'ctr' ? 'clicks, or `exposures.clicked`' : 'orders';
  return new CourierError(
    'CONFIG_INVALID',
    `The primary metric of the experiment is ${metric} (${metrics[metric].title}), and no file tells it.`,
    `Name the file of ${needed}, or another \`primaryMetric\` in the definition.`,
  );
}
