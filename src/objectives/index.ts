/** The objectives that an encoder can be trained to: a file and two lines here for each. */
import { z } from 'zod';
import type { Dataset } from '../data/dataset.ts';
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
      return teach(twoViewLesson(simclrObjective(objective), config, dataset));
    case 'simsiam':
      return teach(twoViewLesson(simsiamObjective(), config, dataset));
  }
}
