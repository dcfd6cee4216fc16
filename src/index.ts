/** The library: every pipeline of the command line as a function, and what they are made of. */

export type { Dataset, IngestReport } from './data/dataset.ts';
export { readEmbeddings, type StoredEmbeddings } from './data/embeddings.ts';
export { loadDataset } from './data/store.ts';
export { CourierError, type ErrorCode } from './errors.ts';
export { auc, gauc } from './metrics/auc.ts';
export { pairedBootstrap } from './metrics/bootstrap.ts';
export { logLoss } from './metrics/probability.ts';
export { type Comparison, compare, planComparison } from './pipelines/compare.ts';
export { type CompareConfigInput, compareConfig } from './pipelines/compare-config.ts';
export { type DemoConfigInput, demo, demoConfig } from './pipelines/demo.ts';
export { type EmbedConfigInput, type EmbedResult, embed, embedConfig } from './pipelines/embed.ts';
export type { EvaluationOptions } from './pipelines/evaluation.ts';
export { type IngestConfigInput, ingest, ingestConfig } from './pipelines/ingest.ts';
export { type PretrainResult, pretrain } from './pipelines/pretrain.ts';
export { type PretrainConfigInput, pretrainConfig } from './pipelines/pretrain-config.ts';
export { type RankConfigInput, type Ranking, rank, rankConfig } from './pipelines/rank.ts';
export type { ExportedRanker } from './pipelines/rank-export.ts';
export { type Tuning, tune } from './pipelines/tune.ts';
export { type TuneConfigInput, tuneConfig } from './pipelines/tune-config.ts';
export { type Progress, type ProgressEvent, silent } from './progress.ts';
export { Random } from './random.ts';
export type { RawExposure, RawItem } from './rankers/exposure.ts';
export { type LoadedRanker, loadRanker } from './rankers/load.ts';
export type { Report, ReportRow } from './report/report.ts';
export { writeReport } from './report/write.ts';
export { version } from './version.ts';
