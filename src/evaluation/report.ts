/** The report over trained rankers, for `rank` and `compare`. */
import type { ProcessGroup } from '../collectives/process-group.ts';
import { broadcastJson } from '../collectives/texts.ts';
import { type Dataset, splits } from '../data/dataset.ts';
import type { WorkOptions } from '../progress.ts';
import type { Diagnosis, Report } from '../report/report.ts';
import { machine } from '../runs/run-folder.ts';
import type { StageCosts } from '../runs/stage-costs.ts';
import { versions } from '../version.ts';
import { rankerCurves } from './curves.ts';
import { embeddingFigures } from './embedding-figures.ts';
import type { ChosenSettings } from './ranker-choice.ts';
import type { PlannedRow } from './ranker-trainer.ts';
import { type RankerRun, tableRows } from './table.ts';
import { unlearnedColumns, unlearnedRows } from './unlearned.ts';
import { warmStart } from './warm-start.ts';

/** The report over trained rankers; pipelines add what they alone know. */
export async function evaluationReport(
  { trainer: { dataset, config, signal }, choices }: ChosenSettings,
  planned: readonly PlannedRow[],
  runs: readonly RankerRun[],
  diagnosis: Diagnosis | null,
  costs: StageCosts,
  startedAt: string,
  { progress, command }: WorkOptions,
): Promise<Report> {
  const { out: _, ...settings } = config;
  const testRows = runs[0]?.result.testRows ?? new Int32Array();
  const starts = [...new Set(runs.map(({ start }) => start))];
  const unlearned = unlearnedRows(dataset, testRows, starts);
  const measured = await tableRows(runs, dataset, config, { progress, signal });
  return {
    title: `What images add on ${dataset.name}`,
    dataset: { name: dataset.name, ...dataset.report },
    testRows: testRows.length,
    testUsers: countTestUsers(dataset),
    warmStart: warmStart(dataset, config.olderShare),
    unlearned: unlearnedColumns(dataset),
    choices,
    embeddings: await embeddingFigures(dataset, config, planned),
    rows: starts.flatMap((start) => [...unlearned, ...measured].filter((row) => row.start === start)),
    sizes: [],
    screening: null,
    versusBestOther: [],
    versusOthers: [],
    searches: [],
    failures: [],
    diagnosis,
    curves: rankerCurves(runs),
    examples: [],
    attention: null,
    stages: costs.all,
    manifest: {
      command: command ?? 'called as a library',
      seeds: config.seeds,
      datasetHash: dataset.hash,
      config: settings,
      versions: versions(),
      machine: machine(),
      startedAt,
    },
  };
}

/**
 * The report of the first process for all that worked on it, for the others without the photos of its examples.
 * @param own null in the others
 */
export async function reportOfFirst(group: ProcessGroup, own: Report | null): Promise<Report> {
  const told = await broadcastJson(group, own === null ? null : { ...own, examples: [] });
  const report = own ?? told;
  if (report === null) throw new Error('the first process has no report');
  return report;
}

function countTestUsers({ pageViews }: Dataset): number {
  const test = splits.indexOf('test');
  return new Set(pageViews.user.filter((_, pageView) => pageViews.split[pageView] === test)).size;
}
