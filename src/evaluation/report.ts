/** The report over trained rankers, for `rank` and `compare`. */
import { type Dataset, splits } from '../data/dataset.ts';
import type { WorkOptions } from '../progress.ts';
import type { Diagnosis, Report } from '../report/report.ts';
import { machine } from '../runs/run-folder.ts';
import type { StageCosts } from '../runs/stage-costs.ts';
import { versions } from '../version.ts';
import { rankerCurves } from './curves.ts';
import type { RankerTrainer } from './ranker-trainer.ts';
import { type RankerRun, tableRows } from './table.ts';
import { unlearned } from './unlearned.ts';
import { warmStart } from './warm-start.ts';

/** The report over trained rankers; pipelines add what they alone know. */
export async function evaluationReport(
  { dataset, config, signal }: RankerTrainer,
  runs: readonly RankerRun[],
  diagnosis: Diagnosis | null,
  costs: StageCosts,
  startedAt: string,
  { progress, command }: WorkOptions,
): Promise<Report> {
  const { out: _, ...settings } = config;
  return {
    title: `What images add on ${dataset.name}`,
    dataset: { name: dataset.name, ...dataset.report },
    testRows: runs[0]?.result.testRows.length ?? 0,
    testUsers: countTestUsers(dataset),
    warmStart: warmStart(dataset, config.olderShare),
    unlearned: unlearned(dataset, runs[0]?.result.testRows ?? new Int32Array()),
    rows: await tableRows(runs, dataset, config, { progress, signal }),
    versusBestOther: [],
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

function countTestUsers({ pageViews }: Dataset): number {
  const test = splits.indexOf('test');
  return new Set(pageViews.user.filter((_, pageView) => pageViews.split[pageView] === test)).size;
}
