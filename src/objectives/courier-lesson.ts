/** COURIER on a dataset. */

import { requireDivides } from '../config.ts';
import type { Dataset } from '../data/dataset.ts';
import { type ClickBatch, ClickSampler, clickBatch } from '../data/samplers/click-sampler.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import { input, openLength } from '../graph/tensor.ts';
import { buildExport } from '../graph/training-step.ts';
import { Random } from '../random.ts';
import type { Model } from '../runtime/model.ts';
import { type CourierConfig, courierObjective, courierRetrieval, courierSpace } from './courier.ts';
import type { LessonConfig } from './lesson-config.ts';
import type { Lesson, Retrieval } from './objective.ts';
import { asksCandidate, createReconstruction } from './reconstruction.ts';

/** File of the attention alone, as a model. */
export const attentionFile = 'attention.onnx';

/** Clicks of the validation period that are looked for among each other's candidates. */
const retrievalSamples = 256;

export function courierLesson(
  objective: CourierConfig,
  config: LessonConfig,
  dataset: Dataset,
): Lesson<ClickBatch> {
  const { candidates, history, dimension } = config;
  requireDivides('objective.heads', objective.heads, 'encoder.dimension', dimension);
  const sampler = new ClickSampler(dataset, config);
  return {
    objective: courierObjective(objective, config, config.prefixes),
    sampler,
    samples: 'clicks with a photo and an earlier photo',
    photos: Math.min(sampler.batchSize * (candidates + history), dataset.images.count),
    comparesViews: false,
    memory: null,
    retrieval: retrievalOf(objective, config, dataset),
    exports: (layout, parameters): Readonly<Record<string, Model>> =>
      asksCandidate(objective.form)
        ? { [attentionFile]: exportAttention(objective, config, layout, parameters) }
        : {},
  };
}

/** Validation clicks, to be found by what is rebuilt for them among all candidates of a batch. */
function retrievalOf(objective: CourierConfig, config: LessonConfig, dataset: Dataset): Retrieval | null {
  const shape = { ...config, batchSize: retrievalSamples };
  const batch = clickBatch(dataset, shape, 'validation', Random.seeded(config.seed, 'retrieval'));
  if (batch === null) return null;
  const { photos, clicked, candidates, candidateMask, history, historyMask } = batch;
  return {
    photos,
    scores: courierRetrieval(objective, clicked.length, config.history, config.dimension),
    feeds: { clicked, history, historyMask },
    wanted: clicked,
    among: new Set(candidates.filter((_, place) => candidateMask[place] === 1)),
  };
}

/**
 * The attention alone, as a self-contained model: inputs `candidates` [clicks, d], `history` [clicks, H, d],
 * `mask` [clicks, H], output `attention` [clicks, H].
 */
export function exportAttention(
  objective: CourierConfig,
  { dimension, history: places }: Pick<LessonConfig, 'dimension' | 'history'>,
  layout: ParameterLayout,
  parameters: Float32Array,
): Model {
  const seen = courierSpace(objective, dimension);
  const { attention } = createReconstruction(objective, dimension)(
    seen(input('candidates', 'float32', [openLength, dimension])),
    seen(input('history', 'float32', [openLength, places, dimension])),
    input('mask', 'float32', [openLength, places]),
  );
  const open = Object.fromEntries(
    ['candidates', 'history', 'mask', 'attention'].map((name) => [name, 'clicks']),
  );
  return buildExport({ attention }, layout, parameters, open);
}
