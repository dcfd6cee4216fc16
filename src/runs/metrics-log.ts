/** What a metrics.jsonl says, without touching it. */
import { exists, readInput } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';

export type MetricsRecord = Readonly<Record<string, unknown>>;

/** Whole lines of the log of a run that may be unfinished; none where there is no log. */
export async function readMetrics(path: string): Promise<readonly MetricsRecord[]> {
  if (!(await exists(path))) return [];
  const lines = (await readInput(path, 'Metrics log')).toString('utf8').split('\n');
  return lines.map(parseJson).filter(isRecord);
}

function isRecord(value: unknown): value is MetricsRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** 0 where there is no such number. */
export function numberOf(record: MetricsRecord | undefined, key: string): number {
  const value = record?.[key];
  return typeof value === 'number' ? value : 0;
}
