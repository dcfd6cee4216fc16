/** What a benchmark is to whoever runs it. */
import type { Row } from './report.ts';

export interface BenchOptions {
  /** Counted rounds, in which both sides take turns. */
  readonly rounds: number;
  /** Only cases whose name holds this text. */
  readonly only: string;
  /** Folder of data that cannot be generated; null where there is none. */
  readonly data: string | null;
  say(text: string): void;
}

export type Benchmark = (
  options: BenchOptions,
) => Promise<{ readonly rows: readonly Row[]; readonly missing: readonly string[] }>;
