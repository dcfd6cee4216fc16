/** A small report with every section filled, in which each text from outside is `text` or holds it. */
import type { Lift, RowLift } from '../../src/metrics/lift.ts';
import { mapped } from '../../src/metrics/measured.ts';
import type {
  Diagnosis,
  Photo,
  Report,
  ReportRow,
  RowLifts,
  SliceResult,
  Start,
} from '../../src/report/report.ts';
import { gap, value } from './measured.ts';

const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A lift with an interval of `halfWidth` to both sides, both as shares, and a p-value that is the same corrected. */
export function lift(difference: number, halfWidth: number, p: number): Lift {
  const ci95 = [difference - halfWidth, difference + halfWidth] as const;
  return { difference, ci95, p, pCorrected: p, detectable: 1.5 * halfWidth, covers: 'users and seeds' };
}

/** The same of a row of the table. */
export function rowLift(difference: number, halfWidth: number, p: number): RowLift {
  return definedLift(lift(difference, halfWidth, p));
}

export function definedLift({ covers, ...lift }: Lift): RowLift {
  return {
    difference: value(lift.difference),
    ci95: value(lift.ci95),
    p: value(lift.p),
    pCorrected: value(lift.pCorrected),
    detectable: value(lift.detectable),
    covers,
  };
}

/** A lift of which nothing is defined, for a reason. */
export function undefinedLift(why: string): RowLift {
  const none = gap(why);
  return {
    difference: none,
    ci95: none,
    p: none,
    pCorrected: none,
    detectable: none,
    covers: 'users and seeds',
  };
}

export function reportRow(
  features: string,
  source: string | null,
  auc: number,
  lift: RowLift | null,
  { start = 'warm', slices = [] }: { start?: Start; slices?: readonly SliceResult[] } = {},
): ReportRow {
  const around = (mean: number) => value({ mean, std: 0.001 });
  return {
    features,
    source,
    start,
    seeds: [1, 2],
    auc: around(auc),
    gauc: around(auc - 0.02),
    logLoss: around(0.9 - auc / 2),
    calibration: around(1.012),
    ndcg: around(auc - 0.3),
    validationAuc: around(auc + 0.01),
    lifts: lift && liftsWith(lift),
    slices,
    cost: null,
  };
}

/** Beside a lift of AUC, those of the other metrics. */
function liftsWith(auc: RowLift): RowLifts {
  return { auc, gauc: auc, logLoss: rowLift(-0.002, 0.001, 0.004), ndcg: rowLift(0.012, 0.005, 0.003) };
}

/** Lifts by part; null for a part without one. */
function sampleSlices(text: string, lifted: boolean): SliceResult[] {
  const slice = (family: string, name: string, exposures: number, auc: number | null): SliceResult => {
    const part = { family, name, exposures };
    if (auc === null) return { ...part, kind: 'undefined', why: `AUC is undefined: ${text}.` };
    const halfWidth = 0.3 / Math.sqrt(exposures);
    const mean = 0.8 + (lifted ? auc : 0);
    return {
      ...part,
      kind: 'value',
      auc: { mean, std: 0.002 },
      lift: lifted ? lift(auc, halfWidth, 0.02) : null,
    };
  };
  return [
    slice('item history', 'cold', 900, 0.052),
    slice('item history', 'warm', 4100, 0.018),
    slice('user history', 'new', 0, null),
    slice('user history', 'returning', 5000, 0.031),
    slice('popularity decile', '1–3', 1500, 0.046),
    ...[4, 5, 6, 7, 8, 9, 10].map((decile) =>
      slice('popularity decile', `${decile}`, 500, 0.04 - 0.006 * decile),
    ),
    slice(`category ${text}`, text, 2600, 0.034),
    slice(`category ${text}`, `${text} for all seasons and occasions`, 1800, -0.021),
    slice(`category ${text}`, `${text} 3`, 24, 0.01),
    slice(`category ${text}`, `other ${text}`, 7, null),
  ];
}

/** Six rows that began warm; the last is of a source and a feature from outside. */
function sampleRows(text: string): ReportRow[] {
  const sliced = { slices: sampleSlices(text, true) };
  const ranker = { slices: sampleSlices(text, false) };
  return [
    reportRow('without-learning', null, 0.6, null),
    reportRow('none', null, 0.81, null, ranker),
    reportRow('vector', 'courier', 0.813, rowLift(0.003, 0.0045, 0.19), sliced),
    reportRow('sim-score', 'courier', 0.841, rowLift(0.031, 0.0045, 0.001), sliced),
    reportRow('sim-score+cluster-id', 'courier', 0.839, rowLift(0.029, 0.005, 0.001), sliced),
    reportRow('sim-score', 'hog', 0.822, rowLift(0.012, 0.006, 0.006), sliced),
    reportRow(text, text, 0.8, rowLift(-0.01, 0.007, 0.004), sliced),
  ];
}

function fromScratch(row: ReportRow): ReportRow {
  const auc = mapped(row.auc, ({ mean, std }) => ({ mean: mean - 0.01, std }));
  return {
    ...row,
    auc,
    start: 'scratch',
    lifts: row.lifts && { ...row.lifts, auc: exaggerated(row.lifts.auc) },
    slices: [],
  };
}

function exaggerated(lift: RowLift): RowLift {
  return {
    ...lift,
    difference: mapped(lift.difference, (difference) => difference + 0.006),
    ci95: mapped(lift.ci95, ([low, high]) => [low + 0.006, high + 0.006] as const),
  };
}

function sampleDiagnosis(text: string): Diagnosis {
  const input = (input: string, loss: number, visual = false) => ({ input, visual, loss });
  const auc = (mean: number) => ({ mean, std: 0.0012 });
  return {
    features: 'sim-score+cluster-id',
    source: 'courier',
    seed: 1,
    importance: value([
      input('item_clicks_log', 0.061),
      input('sim-score+cluster-id', 0.034, true),
      input('item', 0.018),
      input(text, 0.009),
      input('user', 0.002),
      input(`user_${text}_clicks_log`, -0.0011),
    ]),
    gates: [
      { category: text, opening: 0.82, exposures: 2600 },
      { category: `${text} for all seasons and occasions`, opening: 0.47, exposures: 1800 },
      { category: `other ${text}`, opening: 0.08, exposures: 31 },
    ],
    reliability: value(
      Array.from({ length: 10 }, (_, bin) => {
        const meanPrediction = 0.01 + 0.0005 * bin ** 3;
        return { meanPrediction, observedRate: meanPrediction * (1.15 - 0.03 * bin), count: 500 };
      }),
    ),
    withoutCategories: value([
      { categories: true, none: auc(0.812), withImages: auc(0.84) },
      { categories: false, none: auc(0.784), withImages: auc(0.829) },
    ]),
  };
}

const covered = {
  items: value(1),
  candidates: value(0.98),
  history: value(0.97),
  comparable: value(0.9),
  same: false,
};

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
    unlearned: [text],
    embeddings: [
      {
        source: 'courier',
        seed: 1,
        leaks: false,
        seen: 'older',
        ...covered,
        older: value(0.74),
        newer: value(0.69),
        validation: value(0.68),
      },
      {
        source: text,
        seed: 1,
        leaks: false,
        seen: 'older',
        ...covered,
        older: value(0.6),
        newer: value(0.6),
        validation: value(0.6),
      },
    ],
    choices: [
      {
        start: 'warm',
        tried: [
          { settings: 'as set', validationAuc: value(0.7) },
          { settings: text, validationAuc: value(0.71) },
        ],
        chosen: 1,
      },
    ],
    warmStart: value(Date.UTC(2026, 0, 20)),
    rows: [...sampleRows(text), ...sampleRows(text).map(fromScratch)],
    sizes: [],
    screening: null,
    versusBestOther: [],
    versusOthers: [
      {
        start: 'warm',
        features: 'sim-score',
        other: { source: text, features: 'sim-score' },
        seeds: [1, 2],
        lift: rowLift(0.01, 0.004, 0.02),
      },
    ],
    searches: [{ objective: text, tried: 12, finalRound: 1, settings: text, score: 0.7 }],
    failures: [],
    diagnosis: sampleDiagnosis(text),
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
          { photo: photo('newest-item', pixel), weight: 0.75, cosine: 0.5 },
          { photo: photo('older-item', null), weight: 0.25, cosine: 0.5 },
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
