/** What a benchmark is to whoever runs it. */
import type { Row } from './report.ts';

export interface BenchOptions {
  /** Counted rounds, in which both sides take turns. */
  readonly rounds: number;
  /** Only cases whose name holds this text. */
  readonly only: string;
  say(text: string): void;
}

export type Benchmark = (
  options: BenchOptions,
) => Promise<{ readonly rows: readonly Row[]; readonly missing: readonly string[] }>;
