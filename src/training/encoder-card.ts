/** The model card of a pre-trained encoder, from its dataset, its settings and its log. */
import { join } from 'node:path';
import { type Dataset, splits } from '../data/dataset.ts';
import { modelCard } from '../report/model-card.ts';
import { readMetrics } from '../runs/metrics-log.ts';
import { machine } from '../runs/run-folder.ts';
import { writeFileWhole } from '../storage/files.ts';
import { versions } from '../version.ts';
import type { TrainingConfig } from './config.ts';
import { metricsFile } from './run-start.ts';
import { fineTunedFile } from './trained-network.ts';

const modelCardFile = 'model-card.md';

interface TrainedEncoder {
  readonly steps: number;
  readonly bestStep: number;
  readonly images: number;
  readonly seconds: number;
  readonly parameters: number;
}

/**
 * Writes `model-card.md` beside the encoder.
 * @param initHash of the weights that it started from; null where it started afresh
 * @throws CourierError OUTPUT_NOT_WRITABLE
 */
export async function writeModelCard(
  config: TrainingConfig,
  dataset: Dataset,
  samples: { readonly count: number; readonly what: string },
  { steps, bestStep, images, seconds, parameters }: TrainedEncoder,
  initHash: string | null,
): Promise<void> {
  const records = await readMetrics(join(config.out, metricsFile));
  const best = records.find(({ step }) => step === bestStep) ?? {};
  // Paths of this machine say nothing elsewhere.
  const { dataset: _, out, init, memory, threads, firstStage, ...learned } = config;
  const { out: __, ...stage } = firstStage ?? {};
  const settings = {
    ...learned,
    ...(init === undefined ? {} : { initHash }),
    firstStage: firstStage === null ? null : stage,
  };
  const text = modelCard({
    dataset: {
      name: dataset.name,
      hash: dataset.hash,
      users: dataset.users.length,
      items: dataset.catalogue.ids.length,
      photos: dataset.images.count,
      periods: periodsOf(dataset),
      candidates: dataset.report.candidateSampling,
    },
    samples,
    side: dataset.images.side,
    dimension: config.encoder.dimension,
    parameters,
    fineTuned: fineTunedOf(config),
    settings,
    objective: config.objective.name,
    training: { steps, images, seconds, machine: machine(), versions: versions() },
    best: {
      step: bestStep,
      figures: Object.fromEntries(
        Object.entries(best).flatMap(([name, value]) => (typeof value === 'number' ? [[name, value]] : [])),
      ),
    },
  });
  await writeFileWhole(join(config.out, modelCardFile), text);
}

function fineTunedOf({ encoder }: TrainingConfig): string | null {
  if (encoder.name !== 'backbone' || encoder.fineTune === null) return null;
  const { from, lora } = encoder.fineTune;
  const what = lora === null ? 'all weights' : `changes of rank ${lora} of the matrix products`;
  const where =
    typeof from === 'string' ? `behind ${from}` : `of the last ${from} of its blocks with attention`;
  return `Of its pretrained network, ${what} ${where} were trained too; ${fineTunedFile} is that network by itself, with what it learned.`;
}

/** Page views ascend in time. */
function periodsOf({ pageViews }: Dataset): Record<string, readonly [number, number] | null> {
  return Object.fromEntries(
    splits.map((split, code) => {
      const [first, last] = [pageViews.split.indexOf(code), pageViews.split.lastIndexOf(code)];
      return [split, first < 0 ? null : [pageViews.time[first]!, pageViews.time[last]!]];
    }),
  );
}
