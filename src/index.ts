/**
 * The library. Every command is a function of its settings and of `{ progress, signal, command }`, with a schema of its
 * settings beside it; what the commands are made of follows by topic. docs/library.md shows how to use it.
 */

// Commands

export { type DemoConfigInput, demoConfig } from './demo/config.ts';
export { demo } from './demo/index.ts';
export { type LiveConfigInput, liveConfig } from './demo/live/config.ts';
export { demoLive } from './demo/live/index.ts';
export { type AssignResult, assignClusters } from './pipelines/cluster/assign.ts';
export {
  type AssignConfigInput,
  assignConfig,
  type ClusterConfigInput,
  clusterConfig,
} from './pipelines/cluster/config.ts';
export { type ClusterResult, cluster } from './pipelines/cluster/index.ts';
export { type CompareConfigInput, compareConfig } from './pipelines/compare/config.ts';
export { type Comparison, compare, planComparison } from './pipelines/compare/index.ts';
export type { Task } from './pipelines/compare/plan.ts';
export { type DescribeConfigInput, describeConfig } from './pipelines/describe/config.ts';
export { type Description, describe } from './pipelines/describe/index.ts';
export { type EmbedConfigInput, embedConfig } from './pipelines/embed/config.ts';
export { type EmbedResult, embed } from './pipelines/embed/index.ts';
export { type EvaluateConfigInput, evaluateConfig } from './pipelines/evaluate/config.ts';
export { type EvaluationResult, evaluate } from './pipelines/evaluate/index.ts';
export {
  type ExperimentPowerConfigInput,
  type ExperimentReportConfigInput,
  experimentPowerConfig,
  experimentReportConfig,
} from './pipelines/experiment/config.ts';
export { type ExperimentResult, experimentReport } from './pipelines/experiment/index.ts';
export { experimentPower, type PowerResult } from './pipelines/experiment/power.ts';
export { type ExplainConfigInput, explainConfig } from './pipelines/explain/config.ts';
export { type ExplainResult, explain } from './pipelines/explain/index.ts';
export { type ExportConfigInput, exportConfig } from './pipelines/export/config.ts';
export { exportServing, type ServingExport } from './pipelines/export/index.ts';
export { type FeaturesConfigInput, featuresConfig } from './pipelines/features/config.ts';
export { type FeaturesDescription, type FeaturesResult, features } from './pipelines/features/index.ts';
export { type IngestConfigInput, ingestConfig } from './pipelines/ingest/config.ts';
export { type IngestResult, ingest } from './pipelines/ingest/index.ts';
export { type PretrainConfigInput, pretrainConfig } from './pipelines/pretrain/config.ts';
export { pretrain } from './pipelines/pretrain/index.ts';
export { type RankConfigInput, rankConfig } from './pipelines/rank/config.ts';
export type { ExportedRanker } from './pipelines/rank/export.ts';
export { type Ranking, rank } from './pipelines/rank/index.ts';
export { type TuneConfigInput, tuneConfig } from './pipelines/tune/config.ts';
export { tune } from './pipelines/tune/index.ts';
export { type ShopFolderConfigInput, shopFolderConfig } from './shop/config.ts';
export type { ShopFiles } from './shop/files.ts';
export { generateShop } from './shop/generate.ts';
export type { FoundSettings } from './training/search/search.ts';
export type { TrainedEncoder } from './training/train-encoder.ts';

// Progress, errors, randomness

export { CourierError, type ErrorCode, errorCodes } from './errors.ts';
export { type Progress, type ProgressEvent, silent, type WorkOptions } from './progress.ts';
export { Random } from './random.ts';
export { version } from './version.ts';

// Datasets, embeddings, clusters

export { type Dataset, type IngestReport, NONE, splits } from './data/dataset.ts';
export {
  type Centres,
  type ItemCodes,
  readCentres,
  readClusters,
  type StoredCentres,
  type StoredClusters,
  writeCentres,
  writeClusters,
} from './data/embeddings/clusters.ts';
export {
  readEmbeddings,
  readOrigin,
  type StoredEmbeddings,
  writeEmbeddings,
} from './data/embeddings/embeddings.ts';
export { type Origin, type Provenance, readProvenance } from './data/embeddings/provenance.ts';
export type { Photos } from './data/photos/image-cache.ts';
export { type Recipe, readRecipe, recipeNames } from './data/recipes.ts';
export { type Inspected, inspectTable } from './data/sources/inspect.ts';
export { closeDataset, loadDataset } from './data/store.ts';

// Encoders

export { type Backbone, openBackbone } from './backbones/backbone.ts';
export type { BackboneSettings } from './backbones/settings.ts';
export type { Tap } from './backbones/taps.ts';
export { embedAll } from './encoders/embed-rows.ts';
export { type EncoderFile, readEncoderFile } from './encoders/file.ts';
export { ExportedEncoder } from './encoders/load.ts';
export { EncoderPool } from './encoders/pool.ts';
export { Engine } from './runtime/engine.ts';

// Features

export type { FeatureData } from './data/dataset.ts';
export type { VisualFeature } from './data/visual-feature.ts';
export type { VisualInputs } from './features/feature.ts';
export {
  createFeature,
  type FeatureName,
  type FeatureSet,
  featureNames,
  featureSet,
} from './features/index.ts';
export { ItemEmbeddings } from './features/item-embeddings.ts';

// Rankers

export { type RawExposure, type RawItem, rawExposures } from './rankers/exposure.ts';
export { type LoadedRanker, loadRanker } from './rankers/load.ts';

// Experiments

export { armOf, sharesAt } from './experiments/assignment.ts';
export { type Arm, type Experiment, parseExperiment } from './experiments/definition.ts';

// Serving

export {
  type CallOptions,
  type ClientOptions,
  CourierClient,
  ServerError,
} from './server/client.ts';
export { type ServeConfigInput, serveConfig } from './server/config.ts';
export { type Server, type ServerOptions, startServer } from './server/server.ts';
export type { ShopEvent } from './serving/events.ts';
export type {
  Attention,
  Described,
  Drift,
  NewItem,
  Receipt,
  Scored,
  ScoreRequest,
  Service,
  ServiceStatistics,
  SimilarItem,
  SimilarQuery,
} from './serving/requests.ts';
export { OverloadedError } from './serving/score-queue.ts';
export { openService, type ServiceOptions } from './serving/service.ts';

// Metrics and tests

export { auc, type GroupedAuc, gauc } from './metrics/auc.ts';
export { predictedOverObserved, type ReliabilityBin, reliabilityTable } from './metrics/calibration.ts';
export { type DeLongTest, deLongTest } from './metrics/delong.ts';
export { type MeasuredLift, measureLift, type SeedScores } from './metrics/lift.ts';
export { type Measured, measure } from './metrics/measured.ts';
export { holm } from './metrics/multiple-comparisons.ts';
export { type Ndcg, ndcg } from './metrics/ndcg.ts';
export { logLoss } from './metrics/probability.ts';
export type { Scores } from './metrics/rows.ts';
export type { ScoredRows } from './metrics/slices.ts';
export { aucInfluence, type UserInfluence, type UserMetric } from './metrics/user-influence.ts';

// Reports

export type { ExperimentReport } from './report/experiment.ts';
export type { Explanation } from './report/explanation.ts';
export type { Report, ReportRow } from './report/report.ts';
export { writeReport } from './report/write.ts';
