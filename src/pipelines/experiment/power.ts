/** How many users an experiment needs, from the numbers of a metric or from a time without an experiment. */
import { parseConfig } from '../../config.ts';
import { CourierError } from '../../errors.ts';
import { ExperimentCourse } from '../../experiments/course.ts';
import { day } from '../../experiments/definition.ts';
import { type MetricName, metrics } from '../../experiments/metrics.ts';
import { detectableLift, type NeededDrift, neededDrifts, usersNeeded } from '../../experiments/power.ts';
import type { WorkOptions } from '../../progress.ts';
import {
  type ExperimentPowerConfig,
  type ExperimentPowerConfigInput,
  experimentPowerConfig,
} from './config.ts';
import { type EventFiles, readObservations } from './observations.ts';

/** What is known of a metric before an experiment. */
export interface Baseline {
  readonly mean: number;
  readonly sd: number;
  /** Share of the variance that the time before explains. */
  readonly explained: number;
  /** Users of the files in the planned number of days; null where none were read. */
  readonly users: number | null;
}

/** What a test asks for. */
export interface PowerFigures {
  readonly usersPerArm: number;
  /** Part of the planned time until the result, on average where the lift is there; 1 for a single look. */
  readonly meanTime: number;
  /** Relative lift that `users` in each arm would find; null where they were not given, or are too few for any. */
  readonly detectable: number | null;
}

/** Looked at once, at the end, and looked at every day. */
export interface PowerAnswers {
  readonly fixed: PowerFigures;
  readonly sequential: PowerFigures;
}

export interface PowerResult {
  readonly metric: MetricName;
  readonly baseline: Baseline;
  readonly lift: number;
  readonly power: number;
  readonly treatments: number;
  readonly days: number;
  readonly plain: PowerAnswers;
  /** With CUPED; null where nothing of before explains anything. */
  readonly cuped: PowerAnswers | null;
}

/**
 * Says how many users each arm needs.
 * @throws CourierError CONFIG_INVALID; those of reading the files; METRIC_UNDEFINED where the baseline has no spread
 */
export async function experimentPower(
  settings: ExperimentPowerConfigInput,
  options: WorkOptions = {},
): Promise<PowerResult> {
  const config = parseConfig(experimentPowerConfig, settings, 'experiment configuration');
  const { metric, lift, power, treatments, days } = config;
  const baseline = await baselineOf(config, options);
  const needed = neededDrifts({ power, treatments, looks: days });
  const answers = (explained: number): PowerAnswers => {
    const spread = { variation: baseline.sd / baseline.mean, explained };
    const figures = ({ drift, meanTime }: NeededDrift): PowerFigures => ({
      usersPerArm: usersNeeded(spread, lift, drift),
      meanTime,
      detectable: config.users === undefined ? null : detectableLift(spread, config.users, drift),
    });
    return { fixed: figures(needed.fixed), sequential: figures(needed.sequential) };
  };
  const { explained } = baseline;
  return {
    ...{ metric, baseline, lift, power, treatments, days },
    plain: answers(0),
    cuped: explained > 0 ? answers(explained) : null,
  };
}

async function baselineOf(config: ExperimentPowerConfig, options: WorkOptions): Promise<Baseline> {
  const { exposures, clicks, orders, mean, sd, explained, metric, maxBadRows } = config;
  if (exposures === undefined)
    return { mean: mean ?? Number.NaN, sd: sd ?? Number.NaN, explained, users: null };
  return measured({ exposures, clicks, orders, maxBadRows }, metric, config, options);
}

/** The metric of the last days of the files, as one arm. */
async function measured(
  files: EventFiles,
  metric: MetricName,
  { days, daysBefore, winsorize }: ExperimentPowerConfig,
  options: WorkOptions,
): Promise<Baseline> {
  const observed = await readObservations(
    files,
    null,
    Number.POSITIVE_INFINITY,
    (last) => {
      const from = last + 1 - days * day;
      return { beforeFrom: from - daysBefore * day, begin: from, from, until: last + 1 };
    },
    options,
  );
  if (!observed.metrics.includes(metric)) throw untold(metric);
  const course = new ExperimentCourse(observed.observations, observed.days, {
    ...{ plannedDays: days, cuped: true, winsorize, metrics: [metric] },
  });
  let last = course.next();
  for (let look = last; look !== undefined; look = course.next()) last = look;
  const [arm] = last?.metrics[metric]?.arms ?? [];
  if (arm === undefined || !(arm.plain.value > 0) || !(arm.plain.variance > 0)) throw withoutSpread(metric);
  const { users, plain, adjusted } = arm;
  return {
    mean: plain.value,
    sd: Math.sqrt(plain.variance * users),
    explained: adjusted === null ? 0 : Math.max(0, 1 - adjusted.variance / plain.variance),
    users,
  };
}

function untold(metric: MetricName): CourierError {
  return new CourierError(
    'CONFIG_INVALID',
    `No file of the baseline tells ${metrics[metric].title}.`,
    `Name the file of ${metric === 'ctr' ? 'clicks' : 'orders'}, or another \`metric\`.`,
  );
}

function withoutSpread(metric: MetricName): CourierError {
  return new CourierError(
    'METRIC_UNDEFINED',
    `${metrics[metric].title} of the baseline is 0, or the same for every user.`,
    'Check the columns, or take a longer time as the baseline.',
  );
}
