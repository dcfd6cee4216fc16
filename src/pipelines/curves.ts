/** Training curves for the report. */
import { join } from 'node:path';
import type { Curve } from '../report/report.ts';
import type { CompareConfig } from './compare-config.ts';
import { embeddingSources, sourceFolder } from './embedding-sources.ts';
import { type MetricsRecord, readMetrics } from './metrics-records.ts';
import type { TableCell } from './table.ts';
import { metricsFile } from './training-run.ts';

type Point = readonly [number, number];

/** Loss and validation score of pre-training with the first seed, a line per source, also of one that failed. */
export async function pretrainCurves({ objectives, seeds, out }: CompareConfig): Promise<readonly Curve[]> {
  const [seed] = seeds;
  if (seed === undefined) return [];
  const trained = objectives.filter((source) => embeddingSources[source].trained);
  const runs = await Promise.all(
    trained.map(async (source) => {
      return { name: source, records: await readMetrics(join(sourceFolder(out, source, seed), metricsFile)) };
    }),
  );
  const series = (key: string) =>
    runs
      .map(({ name, records }) => ({ name, points: records.flatMap((record) => pointOf(record, key)) }))
      .filter(({ points }) => points.length > 0);
  const curves = [
    {
      title: `Pre-training: loss, seed ${seed}`,
      xLabel: 'step',
      yLabel: 'loss of each objective',
      series: series('loss'),
    },
    {
      title: `Pre-training: validation, seed ${seed}`,
      xLabel: 'step',
      yLabel: 'SimScore AUC',
      series: series('validationAuc'),
    },
  ];
  return curves.filter((curve) => curve.series.length > 0);
}

/** Validation AUC of the rankers of the first seed and start, a line per row of the table; none where it is undefined. */
export function rankerCurves(cells: readonly TableCell[]): readonly Curve[] {
  const first = cells.filter(({ seed, start }) => seed === cells[0]?.seed && start === cells[0]?.start);
  const series = first.map(({ source, features, result }) => ({
    name: features === null ? 'none' : `${source} ${features}`,
    points: result.curve.flatMap(({ step, validationAuc }): Point[] =>
      validationAuc === null ? [] : [[step, validationAuc]],
    ),
  }));
  const curve = { title: 'Ranker: validation', xLabel: 'step', yLabel: 'AUC', series };
  return [curve].filter(({ series }) => series.some(({ points }) => points.length > 0));
}

function pointOf(record: MetricsRecord, key: string): Point[] {
  const { step, [key]: value } = record;
  return typeof step === 'number' && typeof value === 'number' ? [[step, value]] : [];
}
