/** A small report with every section filled, in which each text from outside is `text`. */
import type { Lift, Photo, Report, ReportRow } from '../../src/report/report.ts';

const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

export function reportRow(
  features: string,
  objective: string | null,
  auc: number,
  lift: Lift | null,
): ReportRow {
  const summary = { mean: auc, std: 0.001 };
  return { features, objective, seeds: [1, 2], auc: summary, gauc: summary, logLoss: summary, lift };
}

export function sampleReport(text = 'plain'): Report {
  const photo = (item: string, dataUri: string | null): Photo => ({ item, title: text, dataUri });
  return {
    title: text,
    dataset: {
      name: text,
      counts: { [text]: 1200 },
      findings: [{ what: text, count: 3, examples: [text, text] }],
      candidateSampling: text,
    },
    testRows: 5000,
    testUsers: 300,
    rows: [
      reportRow('none', null, 0.81, null),
      reportRow('sim-score', 'courier', 0.841, { auc: 0.031, ci95: [0.026, 0.035], p: 0.001 }),
      reportRow(text, text, 0.8, { auc: -0.01, ci95: [-0.02, -0.005], p: 0.004 }),
    ],
    curves: [
      {
        title: text,
        yLabel: text,
        xLabel: text,
        series: [
          {
            name: text,
            points: [
              [1, 3],
              [2, 2],
            ],
          },
          { name: text, points: Array.from({ length: 2000 }, (_, step) => [step, 1 / (1 + step)] as const) },
        ],
      },
    ],
    examples: [
      {
        clicked: photo('clicked-item', pixel),
        history: [
          { photo: photo('newest-item', pixel), weight: 0.75 },
          { photo: photo('older-item', null), weight: 0.25 },
        ],
      },
    ],
    attention: { clicks: 1204, hitRate: 0.61, chance: 0.33 },
    stages: [{ stage: text, seconds: 185, peakMemoryBytes: 3 * 2 ** 29, detail: text }],
    manifest: {
      command: text,
      seeds: [1, 2],
      datasetHash: text,
      config: { note: text },
      versions: { [text]: text },
      machine: text,
      startedAt: text,
    },
  };
}
