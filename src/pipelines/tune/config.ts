/** Everything that can be set for a search for pre-training settings, with every default. */
import { z } from 'zod';
import { runSettings } from '../../runs/settings.ts';
import { trainingSettings } from '../../training/config.ts';
import { searchSettings } from '../../training/search/settings.ts';

export const tuneConfig = z.strictObject({
  dataset: runSettings.dataset,
  out: runSettings.out,
  seed: runSettings.seed,
  ...searchSettings.shape,
  pretrain: trainingSettings
    .omit({ olderShare: true })
    .prefault({})
    .describe('What is not searched. Its `steps` are those of the last round.'),
});

export type TuneConfigInput = z.input<typeof tuneConfig>;
