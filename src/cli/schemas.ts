/** The settings of every command by its name, in the order in which commands are used. */
import type { z } from 'zod';
import { demoConfig } from '../demo/config.ts';
import { liveConfig } from '../demo/live/config.ts';
import { assignConfig, clusterConfig } from '../pipelines/cluster/config.ts';
import { compareConfig } from '../pipelines/compare/config.ts';
import { describeConfig } from '../pipelines/describe/config.ts';
import { embedConfig } from '../pipelines/embed/config.ts';
import { evaluateConfig } from '../pipelines/evaluate/config.ts';
import { experimentPowerConfig, experimentReportConfig } from '../pipelines/experiment/config.ts';
import { explainConfig } from '../pipelines/explain/config.ts';
import { exportConfig } from '../pipelines/export/config.ts';
import { featuresConfig } from '../pipelines/features/config.ts';
import { ingestConfig } from '../pipelines/ingest/config.ts';
import { pretrainConfig } from '../pipelines/pretrain/config.ts';
import { rankConfig } from '../pipelines/rank/config.ts';
import { tuneConfig } from '../pipelines/tune/config.ts';
import { serveConfig } from '../server/config.ts';

export const schemas = {
  ingest: ingestConfig,
  describe: describeConfig,
  pretrain: pretrainConfig,
  embed: embedConfig,
  cluster: clusterConfig,
  'cluster --assign': assignConfig,
  features: featuresConfig,
  rank: rankConfig,
  evaluate: evaluateConfig,
  compare: compareConfig,
  tune: tuneConfig,
  explain: explainConfig,
  'experiment report': experimentReportConfig,
  'experiment power': experimentPowerConfig,
  export: exportConfig,
  serve: serveConfig,
  demo: demoConfig,
  'demo --live': liveConfig,
} as const satisfies Record<string, z.ZodType>;

export type SchemaName = keyof typeof schemas;
