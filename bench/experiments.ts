/**
 * Whether the statistics of experiments keep what they promise: how often an experiment in which nothing differs finds
 * something, looked at once and every day, and how often a planted lift is found by as many users as the power calculator asks
 * for. Every repetition is another draw of users, or of arms among the same users by another salt.
 */
import { armOf } from '../src/experiments/assignment.ts';
import {
  type CourseOptions,
  ExperimentCourse,
  type Look,
  type MetricLook,
  type Observations,
} from '../src/experiments/course.ts';
import { parseExperiment } from '../src/experiments/definition.ts';
import { estimateArms } from '../src/experiments/estimates.ts';
import { absoluteDifference, fixedTest } from '../src/experiments/lift.ts';
import { emptyTotals, type MetricName, metricNames } from '../src/experiments/metrics.ts';
import { neededDrifts, usersNeeded } from '../src/experiments/power.ts';
import { known } from '../src/metrics/measured.ts';
import { Random } from '../src/random.ts';
import { makeCatalogue } from '../src/shop/catalogue.ts';
import { shopConfig } from '../src/shop/config.ts';
import { simulateLog } from '../src/shop/log.ts';
import { dealt, drawShop, heavyTailed, lifted, regulars, totalsOf } from '../test/support/live-shop.ts';
import type { Benchmark } from './benchmark.ts';
import { type Row, rowOf } from './report.ts';

const draws = 2000;
const days = 28;
const lift = 0.0088;
const options: CourseOptions = { plannedDays: days, cuped: true, winsorize: null };

export const experimentsBench: Benchmark = async ({ only, say }) => {
  const cases: readonly { readonly name: string; readonly rows: (name: string) => readonly Row[] }[] = [
    { name: 'A/A, heavy-tailed GMV', rows: heavyTailedNull },
    { name: 'A/A, regular buyers', rows: regularNull },
    { name: 'A/A, generated shop by salts', rows: shopNull },
    { name: 'planted GMV lift of 0.88 %, one look', rows: plantedFixed },
    { name: 'planted GMV lift of 0.88 %, daily looks', rows: plantedSequential(lift, 160) },
    // Power is a matter of lift over spread: of a larger one fewer users tell, and many more repetitions can be drawn.
    { name: 'planted GMV lift of 4 %, daily looks', rows: plantedSequential(0.04, 2000) },
  ];
  const rows = cases.flatMap(({ name, rows }) => {
    if (!name.includes(only)) return [];
    say(name);
    return rows(name);
  });
  return { rows, missing: [] };
};

/** Percent of the draws. */
function rate(name: string, count: number, of = draws): Row {
  return rowOf(name, `% of ${of}`, 'lower', [(100 * count) / of], {});
}

/** What is counted of the looks of one metric in one draw. */
const ways = {
  'one look, plain': (looks: readonly MetricLook[]) => isFoundOnce(looks.at(-1), 'plain'),
  'one look, CUPED': (looks: readonly MetricLook[]) => isFoundOnce(looks.at(-1), 'adjusted'),
  // The p-value of the last look is the smallest of all.
  'sequential, looked at daily': (looks: readonly MetricLook[]) => isFoundAtAnyLook(looks.at(-1)),
  'the test of one look, looked at daily': (looks: readonly MetricLook[]) =>
    looks.some((look) => isFoundOnce(look, 'adjusted')),
} as const;

function isFoundAtAnyLook(look: MetricLook | undefined): boolean {
  const sequential = look?.comparisons[0]?.sequential;
  return sequential?.kind === 'value' && sequential.value.p <= 0.05;
}

function isFoundOnce(look: MetricLook | undefined, kind: 'plain' | 'adjusted'): boolean {
  const comparison = look?.comparisons[0];
  const absolute = kind === 'plain' ? comparison?.plain.absolute : comparison?.absolute;
  return absolute?.kind === 'value' && fixedTest(absolute.value).p < 0.05;
}

/** Rows of every metric and way, over draws of users with their arms. */
function nullRows(
  name: string,
  draw: (number: number) => Observations,
  wanted: readonly MetricName[],
): Row[] {
  const found = new Map<string, number>();
  for (let number = 0; number < draws; number++) {
    const looks = looksOf(draw(number), wanted);
    for (const metric of wanted) {
      const own = looks.flatMap(({ metrics }) => metrics[metric] ?? []);
      for (const [way, isFound] of Object.entries(ways)) {
        const key = `${name}: ${metric}, ${way}`;
        found.set(key, (found.get(key) ?? 0) + (isFound(own) ? 1 : 0));
      }
    }
  }
  return [...found].map(([key, count]) => rate(key, count));
}

function looksOf(observations: Observations, metrics: readonly MetricName[]): Look[] {
  const course = new ExperimentCourse(observations, days, { ...options, metrics });
  const looks: Look[] = [];
  for (let look = course.next(); look !== undefined; look = course.next()) looks.push(look);
  return looks;
}

/** Fresh users each time, of whom a few spend most: the standard deviation of GMV is three times its mean, or more. */
function heavyTailedNull(name: string): Row[] {
  const random = Random.seeded(1, name);
  const draw = () => dealt(drawShop(random, heavyTailed), () => random.integer(2));
  return nullRows(name, draw, metricNames);
}

/** Users who come again and again, whose days resemble each other. */
function regularNull(name: string): Row[] {
  const random = Random.seeded(1, name);
  const draw = () => dealt(drawShop(random, { ...regulars, users: 1500 }), () => random.integer(2));
  return nullRows(name, draw, ['gmv']);
}

/** The clicks of one generated shop, its shoppers dealt to arms by other salts: half of the days are from before. */
function shopNull(name: string): Row[] {
  const config = shopConfig.parse({ items: 400, shoppers: 4000, pageViews: 24_000, days: 2 * days });
  const log = simulateLog(config, makeCatalogue(config));
  const start = Date.UTC(2024, 2, 1) + days * 86_400_000;
  const numbers = new Map<string, number>();
  for (const { user, time } of log) if (time >= start && !numbers.has(user)) numbers.set(user, numbers.size);
  const users = numbers.size;
  const entered = new Int32Array(users).fill(days);
  const before = emptyTotals(users);
  type Column = 'user' | 'day' | 'exposures' | 'clicks';
  const columns: Record<Column, number[]> = { user: [], day: [], exposures: [], clicks: [] };
  for (const { user, time, exposures } of log) {
    const number = numbers.get(user);
    if (number === undefined) continue;
    const clicks = exposures.filter(({ clicked }) => clicked).length;
    const day = Math.min(days - 1, Math.floor((time - start) / 86_400_000));
    if (day < 0) {
      before.exposures[number]! += exposures.length;
      before.clicks[number]! += clicks;
      continue;
    }
    entered[number] = Math.min(entered[number]!, day);
    columns.user.push(number);
    columns.day.push(day);
    columns.exposures.push(exposures.length);
    columns.clicks.push(clicks);
  }
  const none = new Float64Array(columns.user.length);
  const observations: Observations = {
    ...{ arms: 2, arm: new Int32Array(users), entered, before },
    rows: {
      user: Int32Array.from(columns.user),
      day: Int32Array.from(columns.day),
      exposures: Float64Array.from(columns.exposures),
      clicks: Float64Array.from(columns.clicks),
      ...{ orders: none, revenue: none },
    },
  };
  const ids = [...numbers.keys()];
  return nullRows(name, (number) => dealtBySalt(observations, ids, `salt ${number}`), ['ctr']);
}

function dealtBySalt(observations: Observations, ids: readonly string[], salt: string): Observations {
  const start = '2024-01-01T00:00:00Z';
  const arms = [
    { name: 'control', share: 0.5 },
    { name: 'treatment', share: 0.5 },
  ];
  const experiment = parseExperiment({ name: 'A/A', salt, start, arms });
  return dealt(observations, (user) =>
    armOf(experiment, ids[user] ?? '', experiment.start)?.name === 'control' ? 0 : 1,
  );
}

/** A shop, and what the power calculator makes of it. */
function planned(name: string, power: number, lift: number) {
  const random = Random.seeded(1, name);
  const trial = drawShop(random, { ...regulars, users: 100_000 });
  const totals = totalsOf(trial);
  const sample = { numerator: totals.revenue, denominator: null };
  const before = trial.before === null ? null : { numerator: trial.before.revenue, denominator: null };
  const [arm] = estimateArms(sample, before, new Int32Array(100_000), 1);
  if (arm === undefined || arm.adjusted === null) throw new Error('the trial has no users');
  const variation = Math.sqrt(arm.plain.variance * arm.users) / arm.plain.value;
  const explained = 1 - arm.adjusted.variance / arm.plain.variance;
  const drifts = neededDrifts({ power, treatments: 1, looks: days });
  const users = (how: keyof typeof drifts, cuped: boolean) =>
    usersNeeded({ variation, explained: cuped ? explained : 0 }, lift, drifts[how].drift);
  return { random, users, explained, drifts };
}

/** Whether totals alone tell the lift: as many users as the calculator asked for, dealt anew each time. */
function plantedFixed(name: string): Row[] {
  const { random, users } = planned(name, 0.8, lift);
  return [false, true].flatMap((cuped) => {
    const count = 2 * users('fixed', cuped);
    const observations = drawShop(random, { ...regulars, users: count });
    const revenue = totalsOf(observations).revenue;
    const before = observations.before;
    const repetitions = 1000;
    let found = 0;
    for (let number = 0; number < repetitions; number++) {
      const arm = Int32Array.from({ length: count }, () => random.integer(2));
      const numerator = revenue.map((value, user) => (arm[user] === 1 ? value * (1 + lift) : value));
      const earlier = cuped && before !== null ? { numerator: before.revenue, denominator: null } : null;
      const sides = estimateArms({ numerator, denominator: null }, earlier, arm, 2).map((each) => ({
        ...(each.adjusted ?? each.plain),
        users: each.users,
      }));
      const difference = known(absoluteDifference(sides[0]!, sides[1]!));
      if (difference !== null && difference.value > 0 && fixedTest(difference).p < 0.05) found++;
    }
    const how = cuped ? 'with CUPED' : 'without CUPED';
    return [
      rate(
        `${name}, ${how}: found, of 80 % promised for ${users('fixed', cuped)} users an arm`,
        found,
        repetitions,
      ),
    ];
  });
}

/** Shops that are drawn for a power, so that none of them speaks for all. */
const shopsDrawn = 20;

/** The same by the sequential test, day by day. @param repetitions in all, dealt anew each time */
function plantedSequential(lift: number, repetitions: number) {
  return (name: string): Row[] => {
    const { random, users, drifts } = planned(name, 0.8, lift);
    const each = users('sequential', true);
    let [found, time] = [0, 0];
    for (let shop = 0; shop < shopsDrawn; shop++) {
      const observations = drawShop(random, { ...regulars, users: 2 * each });
      for (let number = 0; number < repetitions / shopsDrawn; number++) {
        const arms = dealt(observations, () => random.integer(2));
        const looks = looksOf(lifted(arms, lift), ['gmv']);
        const first = looks.findIndex(({ metrics }) => isFoundAtAnyLook(metrics.gmv));
        if (first !== -1) found++;
        time += first === -1 ? days : first + 1;
      }
    }
    const promised = (drifts.sequential.meanTime * days).toFixed(1);
    return [
      rate(`${name}, with CUPED: found, of 80 % promised for ${each} users an arm`, found, repetitions),
      rowOf(
        `${name}, with CUPED: days until then, of ${promised} promised`,
        'days',
        'lower',
        [time / repetitions],
        {},
      ),
    ];
  };
}
