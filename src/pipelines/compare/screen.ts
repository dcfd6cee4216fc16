/**
 * Screening: SimScore AUC on the validation period tells well which sources lift a ranker (docs/results.md), and takes no ranker.
 * The first seed's embeddings are looked at. Whatever cannot be told from the last of the best goes on, and the test period is seen
 * by nobody.
 */
import { type Dataset, pageViewOfRows } from '../../data/dataset.ts';
import { CourierError } from '../../errors.ts';
import { exposuresOf } from '../../evaluation/embedding-figures.ts';
import { loadItemEmbeddings } from '../../evaluation/visual-inputs.ts';
import { simScoreValue } from '../../features/sim-score.ts';
import { auc } from '../../metrics/auc.ts';
import { type MeasuredLift, measureLift } from '../../metrics/lift.ts';
import { known, type Measured, measure } from '../../metrics/measured.ts';
import { aucInfluence } from '../../metrics/user-influence.ts';
import type { SourceScreening } from '../../report/report.ts';
import type { CompareConfig } from './config.ts';

/** A source, or given embeddings, and its file for the first seed; null where that could not be made. */
export interface Screened {
  readonly source: string;
  readonly path: string | null;
}

/** How a source went on, or that it did not. */
type Verdict = SourceScreening['sources'][number]['verdict'];

/** @throws CourierError CONFIG_INVALID where `screen.always` names what is not compared */
export function requireScreened({
  screen,
  sources,
  embeddings,
}: Pick<CompareConfig, 'screen' | 'sources' | 'embeddings'>): void {
  const named: readonly string[] = [...sources, ...Object.keys(embeddings)];
  const unknown = (screen?.always ?? []).filter((name) => !named.includes(name));
  if (unknown.length === 0) return;
  throw new CourierError(
    'CONFIG_INVALID',
    `Invalid configuration: \`screen.always\` has ${unknown.join(', ')}, which is not compared.`,
    `Choose of ${named.join(', ')}.`,
  );
}

/** @throws CourierError those of reading embeddings */
export async function screenSources(
  dataset: Dataset,
  { keep, always }: NonNullable<CompareConfig['screen']>,
  seed: number,
  candidates: readonly Screened[],
): Promise<SourceScreening> {
  const clicks = validationClicks(dataset);
  const looked: Look[] = [];
  for (const { source, path } of candidates) {
    const scores = path === null ? null : await clicks.scoresOf(path);
    const simScoreAuc = scores === null ? notMade : measure(() => auc(...clicks.comparable(scores)));
    looked.push({ source, scores, simScoreAuc, figure: known(simScoreAuc) });
  }
  const ranked = looked.toSorted((a, b) => (b.figure ?? -1) - (a.figure ?? -1));
  const last = ranked.filter(({ figure }) => figure !== null)[keep - 1];
  const sources = ranked.map((one, place) => {
    const behind =
      place < keep || last === undefined || one.figure === null ? null : clicks.difference(last, one);
    const verdict = verdictOf(one, behind, always);
    return { source: one.source, simScoreAuc: one.simScoreAuc, behind, verdict };
  });
  return { seed, keep, sources };
}

interface Look {
  readonly source: string;
  /** Of every validation exposure that is looked at, NaN where it cannot be compared; null without embeddings. */
  readonly scores: Float64Array | null;
  readonly simScoreAuc: Measured;
  readonly figure: number | null;
}

const notMade: Measured<never> = {
  kind: 'undefined',
  why: 'There are no embeddings of the first seed.',
};

function verdictOf(
  { source, figure }: Look,
  behind: MeasuredLift | null,
  always: readonly string[],
): Verdict {
  if (figure === null) return 'not known';
  if (behind === null) return 'best';
  const ci95 = known(behind.ci95);
  if (ci95 === null || ci95[1] >= 0) return 'close';
  return always.includes(source) ? 'asked for' : 'left out';
}

/** The validation exposures that are looked at, with their users. */
function validationClicks(dataset: Dataset) {
  const rows = exposuresOf(dataset, 'validation');
  const pageViewOf = pageViewOfRows(dataset);
  const labels = Uint8Array.from(rows, (row) => dataset.exposures.clicked[row]!);
  const pageViews = rows.map((row) => pageViewOf[row]!);
  const users = pageViews.map((pageView) => dataset.pageViews.user[pageView]!);
  const scored = (scores: Float64Array, places: Int32Array) => ({
    scores: Float64Array.from(places, (place) => scores[place]!),
    labels: Uint8Array.from(places, (place) => labels[place]!),
    users: places.map((place) => users[place]!),
    pageViews: places.map((place) => pageViews[place]!),
  });
  const placesOf = (...all: readonly Float64Array[]) =>
    Int32Array.from(rows.keys()).filter((place) => all.every((scores) => !Number.isNaN(scores[place]!)));
  return {
    async scoresOf(path: string): Promise<Float64Array> {
      const scoreOf = simScoreValue(dataset, await loadItemEmbeddings(dataset, path));
      return Float64Array.from(rows, (row) => scoreOf(row) ?? Number.NaN);
    },
    comparable(scores: Float64Array): [Float64Array, Uint8Array] {
      const own = scored(scores, placesOf(scores));
      return [own.scores, own.labels];
    },
    /** Of the second less the first, by users, on what both can compare. */
    difference(one: Look, other: Look): MeasuredLift | null {
      if (one.scores === null || other.scores === null) return null;
      const places = placesOf(one.scores, other.scores);
      const [baseline, treatment] = [scored(one.scores, places), scored(other.scores, places)];
      return measureLift(aucInfluence, [baseline], [treatment]);
    },
  };
}

/** The settings with only the sources that went on. */
export function keptBy(screening: SourceScreening, config: CompareConfig): CompareConfig {
  const out = new Set(
    screening.sources.flatMap(({ source, verdict }) => (verdict === 'left out' ? [source] : [])),
  );
  return {
    ...config,
    sources: config.sources.filter((source) => !out.has(source)),
    embeddings: Object.fromEntries(Object.entries(config.embeddings).filter(([name]) => !out.has(name))),
  };
}
