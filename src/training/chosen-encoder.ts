/** What stands for the encoder `auto`, said aloud. */
import { type Dataset, splits } from '../data/dataset.ts';
import { type AutoConfig, chosenName } from '../encoders/auto.ts';
import { type EncoderSettings, encoderSettings } from '../encoders/index.ts';
import { type Progress, silent } from '../progress.ts';
import { integer } from '../text.ts';
import type { TrainingConfig } from './config.ts';

export type ChosenEncoder = Exclude<EncoderSettings, AutoConfig>;

/** A training whose encoder is chosen. */
export interface ChosenTraining extends TrainingConfig {
  readonly encoder: ChosenEncoder;
}

interface Clicked extends Pick<Dataset, 'pageViews'> {
  readonly exposures: Pick<Dataset['exposures'], 'clicked'>;
}

/** @param dataset whole, so that a part of it chooses the same */
export function chosenEncoder(
  settings: EncoderSettings,
  dataset: Clicked & { readonly images: { readonly side: number } },
  progress: Progress = silent,
): ChosenEncoder {
  if (settings.name !== 'auto') return settings;
  const clicks = trainingClicks(dataset);
  const name = chosenName(clicks, dataset.images.side);
  const text = `Encoder: ${name}, chosen for a training period with ${integer(clicks)} clicks. A pretrained network sees more, where there is one: --backbone FILE.`;
  progress({ kind: 'note', text });
  const chosen = encoderSettings.parse({ name, dimension: settings.dimension });
  if (chosen.name === 'auto') throw new Error('auto was chosen again');
  return chosen;
}

function trainingClicks({ pageViews, exposures }: Clicked): number {
  const train = splits.indexOf('train');
  let clicks = 0;
  for (let view = 0; view < pageViews.split.length; view++) {
    if (pageViews.split[view] !== train) continue;
    for (let row = pageViews.start[view]!; row < pageViews.start[view + 1]!; row++)
      clicks += exposures.clicked[row]!;
  }
  return clicks;
}
