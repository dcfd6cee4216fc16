/** The AUC and its lift on parts of the test rows. */
import { auc } from '../metrics/auc.ts';
import {
  correctionOver,
  type MeasuredLift,
  measureLift,
  type SeedScores,
  wholeLift,
} from '../metrics/lift.ts';
import { known, type Measured, measure } from '../metrics/measured.ts';
import { undefinedMetric } from '../metrics/rows.ts';
import { rowsOfSlice, type Slice } from '../metrics/slices.ts';
import { type Summary, summarise } from '../metrics/summary.ts';
import { aucInfluence } from '../metrics/user-influence.ts';
import { safePlace } from '../progress.ts';
import type { SliceResult } from '../report/report.ts';

/** Clicks, and non-clicks, that a slice has at least: the AUC of fewer is mostly luck. */
const fewest = 50;

interface MeasuredSlice {
  readonly auc: Summary;
  /** null for rankers that are compared with no others */
  readonly lift: MeasuredLift | null;
}

/**
 * A result for each slice, a gap where it has too few clicks or non-clicks; p-values corrected for the slices.
 * @param baseline null for rankers that are compared with no others
 * @throws the signal's reason once it is aborted
 */
export async function sliceResults(
  slices: readonly Slice[],
  baseline: SeedScores | null,
  seeds: SeedScores,
  signal: AbortSignal | undefined,
): Promise<readonly SliceResult[]> {
  const results: (readonly [Slice, Measured<MeasuredSlice>])[] = [];
  for (const slice of slices) {
    await safePlace(signal);
    results.push([slice, measure(() => measureSlice(slice, baseline, seeds))]);
  }
  const corrected = correctionOver(results.flatMap(([, result]) => known(result)?.lift ?? []));
  return results.map(([{ family, name, rows }, result]) => {
    const where = { family, name, exposures: rows.length };
    if (result.kind === 'undefined') return { ...where, ...result };
    const { auc, lift } = result.value;
    if (lift === null) return { ...where, kind: 'value', auc, lift };
    const whole = wholeLift(corrected(lift));
    return whole.kind === 'undefined'
      ? { ...where, ...whole }
      : { ...where, kind: 'value', auc, lift: whole.value };
  });
}

/** @throws CourierError METRIC_UNDEFINED for fewer clicks or non-clicks than it takes */
function measureSlice(slice: Slice, baseline: SeedScores | null, seeds: SeedScores): MeasuredSlice {
  const part = (all: SeedScores) => all.map((one) => rowsOfSlice(one, slice));
  const own = part(seeds);
  requireEnough(own[0]!.labels);
  return {
    auc: summarise(own.map(({ scores, labels }) => auc(scores, labels))),
    lift: baseline === null ? null : measureLift(aucInfluence, part(baseline), own),
  };
}

function requireEnough(labels: Uint8Array): void {
  const clicks = labels.reduce((sum, label) => sum + label, 0);
  const others = labels.length - clicks;
  if (Math.min(clicks, others) >= fewest) return;
  throw undefinedMetric(
    'AUC',
    `too few here, ${clicks} clicks and ${others} others, where ${fewest} of each are asked for`,
  );
}
