/** What every benchmark prints. */
import { cpus } from 'node:os';
import { median } from '../src/metrics/quantile.ts';

/** One thing measured. A ratio above 1 means that we are better than that peer. */
export interface Row {
  readonly case: string;
  readonly unit: string;
  readonly ours: number;
  readonly peers: Readonly<Record<string, number>>;
  readonly ratio: Readonly<Record<string, number>>;
  /** Smallest and largest round, ours and the peers'. */
  readonly spread: Readonly<Record<string, readonly [number, number]>>;
}

export interface BenchReport {
  readonly bench: string;
  readonly rows: readonly Row[];
  /** Peers that are not installed. */
  readonly missing: readonly string[];
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Values of one side, a value a round. */
export type Rounds = Readonly<Record<string, readonly number[]>>;

/** Medians of all sides; the ratio is the median of the rounds' own ratios, since a round shares its noise. */
export function rowOf(
  name: string,
  unit: string,
  better: 'higher' | 'lower',
  ours: readonly number[],
  peers: Rounds,
): Row {
  const ratio = (values: readonly number[]) =>
    median(values.map((value, round) => (better === 'higher' ? ours[round]! / value : value / ours[round]!)));
  const all = Object.entries({ ours, ...peers });
  return {
    case: name,
    unit,
    ours: round(median(ours)),
    peers: Object.fromEntries(Object.entries(peers).map(([peer, values]) => [peer, round(median(values))])),
    ratio: Object.fromEntries(Object.entries(peers).map(([peer, values]) => [peer, round(ratio(values))])),
    spread: Object.fromEntries(
      all.map(([side, values]) => [side, [round(Math.min(...values)), round(Math.max(...values))]]),
    ),
  };
}

/** Four digits: more than noise leaves. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}

export function machine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown'}`;
}

/** A row for people. */
export function describeRow({ case: name, unit, ours, peers, ratio }: Row): string {
  const others = Object.entries(peers).map(
    ([peer, value]) => `${peer} ${value} (ours ${ratio[peer]} times as good)`,
  );
  return [name, `${ours} ${unit}`, ...others].join('  |  ');
}
