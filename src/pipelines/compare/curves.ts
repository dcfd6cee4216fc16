/** Curves of pre-training, for the report. */
import { join } from 'node:path';
import type { Curve } from '../../report/report.ts';
import { type MetricsRecord, readMetrics } from '../../runs/metrics-log.ts';
import { embeddingSources, sourceFolder } from '../../training/embedding-sources.ts';
import { metricsFile } from '../../training/run-start.ts';
import type { CompareConfig } from './config.ts';

type Point = readonly [number, number];

/** Loss and validation score of pre-training with the first seed, a line per source, also of one that failed. */
export async function pretrainCurves({ sources, seeds, out }: CompareConfig): Promise<readonly Curve[]> {
  const [seed] = seeds;
  if (seed === undefined) return [];
  const trained = sources.filter((source) => embeddingSources[source].objective !== null);
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

function pointOf(record: MetricsRecord, key: string): Point[] {
  const { step, [key]: value } = record;
  return typeof step === 'number' && typeof value === 'number' ? [[step, value]] : [];
}
