/** An experiment as files: its definition, and events as a server would export them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Column } from '../../src/data/duckdb/columns.ts';
import { writeParquet } from '../../src/data/duckdb/parquet.ts';
import { armOf } from '../../src/experiments/assignment.ts';
import { parseExperiment } from '../../src/experiments/definition.ts';
import { Random } from '../../src/random.ts';
import { writeJson } from '../../src/storage/files.ts';
import { drawShop, type LiveShop } from './live-shop.ts';

const day = 86_400_000;
const start = Date.UTC(2024, 2, 1);

/** A shop of so many buyers that intervals for every look begin within days. */
const shop: LiveShop = {
  users: 1500,
  days: 14,
  daysBefore: 14,
  visits: 0.15,
  conversion: 0.6,
  orderSpread: 0.6,
  userSpread: 0.5,
};

export interface TinyExperiment {
  readonly definition: string;
  readonly exposures: string;
  readonly clicks: string;
  readonly orders: string;
}

export interface TinyOptions {
  readonly lift?: number;
  readonly arms?: readonly { readonly name: string; readonly share: number }[];
  readonly users?: number;
  /** Share of the users of the second arm whose events are lost. */
  readonly lost?: number;
}

export const tinyDefinition = {
  name: 'images',
  salt: 'images-1',
  start: '2024-03-01T00:00:00Z',
  plannedDays: 14,
  primaryMetric: 'gmv',
  arms: [
    { name: 'control', share: 0.5 },
    { name: 'images', share: 0.5, serves: { export: 'exports/images' } },
  ],
};

/** Writes `experiment.json` and `events/*.parquet` below a folder. */
export async function writeTinyExperiment(
  folder: string,
  { lift = 0, arms = tinyDefinition.arms, users = shop.users, lost = 0 }: TinyOptions = {},
): Promise<TinyExperiment> {
  const definition = { ...tinyDefinition, arms };
  const experiment = parseExperiment(definition);
  const random = Random.seeded(1, 'tiny experiment');
  const { rows, before } = drawShop(random, { ...shop, users });
  const exposures = new Events('exposure');
  const clicks = new Events('click');
  const orders = new Events('order');
  const idOf = (user: number) => `u${user}`;
  const add = (
    user: number,
    time: number,
    figures: { exposures: number; clicks: number; orders: number; revenue: number },
  ) => {
    const arm = armOf(experiment, idOf(user), time);
    const isTreated = arm !== null && arm.name !== experiment.arms[0]?.name;
    if (isTreated && (user % 100) / 100 < lost) return;
    for (let each = 0; each < figures.exposures; each++)
      exposures.add(idOf(user), time, arm?.name ?? null, 0);
    for (let each = 0; each < figures.clicks; each++) clicks.add(idOf(user), time + 1000, null, 0);
    for (let each = 0; each < figures.orders; each++)
      orders.add(
        idOf(user),
        time + 2000,
        null,
        ((isTreated ? 1 + lift : 1) * figures.revenue) / figures.orders,
      );
  };
  for (let user = 0; user < users; user++) {
    if (before === null || before.exposures[user] === 0) continue;
    const time = start - Math.floor((1 + 13 * random.uniform()) * day);
    add(user, time, {
      exposures: before.exposures[user]!,
      clicks: before.clicks[user]!,
      orders: before.orders[user]!,
      revenue: before.revenue[user]!,
    });
  }
  for (let row = 0; row < rows.user.length; row++) {
    const time = start + rows.day[row]! * day + Math.floor(0.9 * random.uniform() * day);
    add(rows.user[row]!, time, {
      exposures: rows.exposures[row]!,
      clicks: rows.clicks[row]!,
      orders: rows.orders[row]!,
      revenue: rows.revenue[row]!,
    });
  }
  const at = (...parts: string[]) => join(folder, ...parts);
  await mkdir(at('events'), { recursive: true });
  await writeJson(at('experiment.json'), definition);
  await writeParquet(at('events', 'exposures.parquet'), exposures.columns(['arm']));
  await writeParquet(at('events', 'clicks.parquet'), clicks.columns([]));
  await writeParquet(at('events', 'orders.parquet'), orders.columns(['revenue']));
  return {
    definition: at('experiment.json'),
    exposures: at('events', 'exposures.parquet'),
    clicks: at('events', 'clicks.parquet'),
    orders: at('events', 'orders.parquet'),
  };
}

class Events {
  readonly #kind: string;
  readonly #users: string[] = [];
  readonly #times: number[] = [];
  readonly #arms: (string | null)[] = [];
  readonly #amounts: number[] = [];

  constructor(kind: string) {
    this.#kind = kind;
  }

  add(user: string, time: number, arm: string | null, amount: number): void {
    this.#users.push(user);
    this.#times.push(time);
    this.#arms.push(arm);
    this.#amounts.push(amount);
  }

  columns(more: readonly ('arm' | 'revenue')[]): Column[] {
    return [
      { name: 'event', type: 'VARCHAR', values: this.#users.map((_, row) => `${this.#kind}-${row}`) },
      { name: 'user', type: 'VARCHAR', values: this.#users },
      { name: 'time', type: 'BIGINT', values: BigInt64Array.from(this.#times, BigInt) },
      ...(more.includes('arm') ? [{ name: 'arm', type: 'VARCHAR', values: this.#arms } as const] : []),
      ...(more.includes('revenue')
        ? [{ name: 'revenue', type: 'DOUBLE', values: Float64Array.from(this.#amounts) } as const]
        : []),
    ];
  }
}
