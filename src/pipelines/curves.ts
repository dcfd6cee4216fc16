/** Training curves for the report. */
import { join } from 'node:path';
import type { Curve } from '../report/report.ts';
import type { CompareConfig } from './compare-config.ts';
import { sourceFolder } from './embedding-sources.ts';
import { MetricsLog } from './run-folder.ts';
import type { TableCell } from './table.ts';
import { metricsFile } from './training-run.ts';

type Point = readonly [number, number];

/** Loss and validation score of COURIER's pre-training, a line per seed. */
export async function pretrainCurves(config: CompareConfig): Promise<readonly Curve[]> {
  if (!config.objectives.includes('courier')) return [];
  const runs = await Promise.all(
    config.seeds.map(async (seed) => {
      const log = await MetricsLog.open(
        join(sourceFolder(config.out, 'courier', seed), metricsFile),
        Number.POSITIVE_INFINITY,
      );
      return { name: `seed ${seed}`, records: await log.read() };
    }),
  );
  const series = (key: string) =>
    runs.map(({ name, records }) => ({ name, points: records.flatMap((record) => pointOf(record, key)) }));
  const curves = [
    { title: 'Pre-training: loss', xLabel: 'step', yLabel: 'L_pv + λ L_ucs', series: series('loss') },
    {
      title: 'Pre-training: validation',
      xLabel: 'step',
      yLabel: 'SimScore AUC',
      series: series('validationAuc'),
    },
  ];
  return curves.filter((curve) => curve.series.some(({ points }) => points.length > 0));
}

/** Validation AUC of the rankers of the first seed and start, a line per row of the table. */
export function rankerCurves(cells: readonly TableCell[]): Curve {
  const first = cells.filter(({ seed, start }) => seed === cells[0]?.seed && start === cells[0]?.start);
  const series = first.map(({ source, features, result }) => ({
    name: features === null ? 'none' : `${source} ${features}`,
    points: result.curve.map(({ step, validationAuc }): Point => [step, validationAuc]),
  }));
  return { title: 'Ranker: validation', xLabel: 'step', yLabel: 'AUC', series };
}

function pointOf(record: Readonly<Record<string, unknown>>, key: string): Point[] {
  const { step, [key]: value } = record;
  return typeof step === 'number' && typeof value === 'number' ? [[step, value]] : [];
}
