/** Where the rankers of a run folder lie. */
import { join } from 'node:path';
import type { Start } from '../report/report.ts';
import type { RankerRun } from './table.ts';

/** Where a row stands in the table, and its seed. */
export interface RankerPlace extends Omit<RankerRun, 'result'> {
  readonly path: string;
}

/** The folder of the rankers of a run. */
export function rankersFolder(out: string): string {
  return join(out, 'rankers');
}

/** Where the ranker of a row, seed and start is kept. @param row null: without images */
export function rankerPlace(
  folder: string,
  row: { readonly source: string; readonly features: string } | null,
  start: Start,
  seed: number,
): RankerPlace {
  const path = join(folder, `${nameOfRow(row)}-${start}-seed-${seed}.safetensors`);
  return { source: row?.source ?? null, features: row?.features ?? null, start, seed, path };
}

/** Where the ranker without images that warm ones of a seed go on from is kept. */
export function basePath(folder: string, seed: number): string {
  return join(folder, `base-seed-${seed}.safetensors`);
}

export function nameOfRow(row: { readonly source: string; readonly features: string } | null): string {
  return row === null ? 'none' : `${row.source}-${row.features}`;
}
