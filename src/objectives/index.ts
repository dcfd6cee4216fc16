/** The objectives that an encoder can be trained to: a file and two lines here for each. */
import { z } from 'zod';
import type { Dataset } from '../data/dataset.ts';
import { CourierError } from '../errors.ts';
import { clipLesson, clipSettings } from './clip.ts';
import { courierSettings } from './courier.ts';
import { courierLesson } from './courier-lesson.ts';
import type { LessonConfig } from './lesson-config.ts';
import type { Lesson, PhotoBatch } from './objective.ts';
import { sclLesson, sclSettings } from './scl.ts';
import { simclrObjective, simclrSettings } from './simclr.ts';
import { simsiamObjective, simsiamSettings } from './simsiam.ts';
import { supervisedLesson, supervisedSettings } from './supervised.ts';
import { twoViewLesson } from './two-views.ts';

const schemas = [
  courierSettings,
  sclSettings,
  supervisedSettings,
  clipSettings,
  simclrSettings,
  simsiamSettings,
] as const;

export const objectiveSettings = z.discriminatedUnion('name', schemas);

export type ObjectiveConfig = z.output<typeof objectiveSettings>;
export type ObjectiveName = ObjectiveConfig['name'];

export const objectiveNames: readonly ObjectiveName[] = [
  'courier',
  'scl',
  'supervised',
  'clip',
  'simclr',
  'simsiam',
];

/**
 * Makes an objective's lesson on a dataset, for `teach` to train an encoder with.
 * @throws CourierError CONFIG_INVALID for settings that do not fit the dataset or the encoder
 */
export function withLesson<Result>(
  objective: ObjectiveConfig,
  config: LessonConfig,
  dataset: Dataset,
  teach: <Batch extends PhotoBatch>(lesson: Lesson<Batch>) => Result,
): Result {
  requirePrefixes(objective, config);
  switch (objective.name) {
    case 'courier':
      return teach(courierLesson(objective, config, dataset));
    case 'scl':
      return teach(sclLesson(objective, config, dataset));
    case 'supervised':
      return teach(supervisedLesson(objective, config, dataset));
    case 'clip':
      return teach(clipLesson(objective, config, dataset));
    case 'simclr':
      return teach(twoViewLesson(simclrObjective(objective, config.prefixes), config, dataset));
    case 'simsiam':
      return teach(twoViewLesson(simsiamObjective(), config, dataset));
  }
}

/** Why an objective cannot be taken of the first numbers of embeddings; null where it can. */
function againstPrefixes(objective: ObjectiveConfig): string | null {
  switch (objective.name) {
    case 'scl':
    case 'simclr':
    case 'clip':
      return null;
    case 'courier':
      if (!objective.contrast) return 'courier without contrast has no contrastive loss';
      return objective.projectionHead
        ? 'the losses of courier with a projection head see all numbers of an embedding mixed'
        : null;
    case 'supervised':
    case 'simsiam':
      return `${objective.name} has no contrastive loss`;
  }
}

/** Those that are set, for an objective that can be taken of them; none for another that is trained in the same run. */
export function prefixesOf(
  objective: ObjectiveConfig,
  { prefixes }: Pick<LessonConfig, 'prefixes'>,
): number[] {
  return againstPrefixes(objective) === null ? [...prefixes] : [];
}

/** @throws CourierError CONFIG_INVALID for an objective that has no use for prefixes, or one that is no part of an embedding */
function requirePrefixes(
  objective: ObjectiveConfig,
  { prefixes, dimension }: Pick<LessonConfig, 'prefixes' | 'dimension'>,
): void {
  if (prefixes.length === 0) return;
  const against = againstPrefixes(objective);
  if (against !== null)
    throw invalid(
      `\`prefixes\` cannot be learned: ${against}`,
      'Leave them out, or learn another objective.',
    );
  const long = prefixes.filter((n) => n >= dimension);
  if (long.length === 0) return;
  throw invalid(
    `\`prefixes\` asks for the first ${long.join(', ')} of ${dimension} numbers`,
    `Ask for fewer than the \`encoder.dimension\` ${dimension}.`,
  );
}

function invalid(problem: string, remedy: string): CourierError {
  return new CourierError('CONFIG_INVALID', `Invalid configuration: ${problem}.`, remedy);
}
