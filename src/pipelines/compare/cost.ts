/** What the rows of a comparison cost, from the logs of their trainings and the costs of their stages. */
import { join } from 'node:path';
import type { RankerRun } from '../../evaluation/table.ts';
import type { ReportRow, RowCost } from '../../report/report.ts';
import { numberOf, readMetrics } from '../../runs/metrics-log.ts';
import type { StageCosts } from '../../runs/stage-costs.ts';
import { embeddingSources, sourceFolder } from '../../training/embedding-sources.ts';
import { metricsFile } from '../../training/run-start.ts';
import type { SourceName } from '../../training/source-names.ts';
import type { CompareConfig } from './config.ts';

/** Name of the stage that makes the embeddings of a source. @param seed null where it changes nothing */
export function embedStage(source: SourceName, seed: number | null): string {
  const verb = embeddingSources[source].objective !== null ? 'Pre-train and embed' : 'Embed';
  return seed === null ? `${verb}: ${source}` : `${verb}: ${source}, seed ${seed}`;
}

/** The seeds for which a source is computed: null alone where they change nothing. */
export function seedsOf(source: SourceName, seeds: readonly number[]): readonly (number | null)[] {
  return embeddingSources[source].seeded ? seeds : [null];
}

/** What making the embeddings of a source took for one seed. */
export async function embeddingCost(
  { out }: Pick<CompareConfig, 'out'>,
  costs: StageCosts,
  source: SourceName,
  seed: number | null,
): Promise<Omit<RowCost, 'rankerSeconds'>> {
  const stage = costs.all.find((cost) => cost.stage === embedStage(source, seed));
  const records = await readMetrics(join(sourceFolder(out, source, seed ?? 0), metricsFile));
  const [first, last] = [records.at(0), records.at(-1)];
  const trained = numberOf(last, 'seconds') + numberOf(first, 'firstStageSeconds');
  return {
    images: records.reduce(
      (sum, record) => sum + numberOf(record, 'images'),
      numberOf(first, 'firstStageImages'),
    ),
    // The stage knows only the call that finished it; the log knows those before, which were interrupted.
    embeddingSeconds: Math.max(stage?.seconds ?? 0, trained),
    peakMemoryBytes: stage?.peakMemoryBytes ?? 0,
  };
}

/** The rows with what they cost; the row without images, which shares its ranker with the others, has none. */
export async function withCosts(
  rows: readonly ReportRow[],
  runs: readonly RankerRun[],
  config: CompareConfig,
  costs: StageCosts,
): Promise<readonly ReportRow[]> {
  return Promise.all(
    rows.map(async (row) => {
      const source = config.sources.find((name) => name === row.source);
      if (source === undefined) return row;
      const parts = await Promise.all(
        seedsOf(source, row.seeds).map((seed) => embeddingCost(config, costs, source, seed)),
      );
      const own = runs.filter(
        ({ source, features, start }) =>
          source === row.source && features === row.features && start === row.start,
      );
      const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
      const cost = {
        images: sum(parts.map(({ images }) => images)),
        embeddingSeconds: sum(parts.map(({ embeddingSeconds }) => embeddingSeconds)),
        rankerSeconds: sum(own.map(({ result }) => result.seconds)),
        peakMemoryBytes: Math.max(...parts.map(({ peakMemoryBytes }) => peakMemoryBytes)),
      };
      return { ...row, cost };
    }),
  );
}
