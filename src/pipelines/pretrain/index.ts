/**
 * Pre-training: dataset → encoder.
 *
 * An objective deals batches of photos and says what their embeddings should be like; the encoder learns to give
 * such embeddings. In COURIER (arXiv 2306.05001; objectives/courier.ts), for every click the image of the clicked
 * item is rebuilt from the images that its user clicked before, and must be told from all other candidates of the
 * batch. The other objectives are what it is compared with.
 */
import { processGroup } from '../../collectives/world.ts';
import { parseConfig } from '../../config.ts';
import type { WorkOptions } from '../../progress.ts';
import { withDataset } from '../../runs/with-dataset.ts';
import { type TrainedEncoder, trainEncoder } from '../../training/train-encoder.ts';
import { type PretrainConfigInput, pretrainConfig } from './config.ts';

/**
 * Trains an encoder on a dataset folder. Called again with the same settings it goes on from the last checkpoint, and
 * ends with the same bytes as if it had never been stopped. Processes that mpirun started together share the work, with the
 * batches and the updates of one.
 * @throws CourierError CONFIG_INVALID, DEVICE_UNAVAILABLE, SPLIT_EMPTY, OUTPUT_EXISTS, TRAINING_DIVERGED,
 * TRAINING_COLLAPSED, INTERRUPTED and those of reading and writing
 */
export async function pretrain(
  settings: PretrainConfigInput,
  options: WorkOptions = {},
): Promise<TrainedEncoder> {
  const config = parseConfig(pretrainConfig, settings, 'pretrain configuration');
  const { device, threads } = config;
  return withDataset(
    config.dataset,
    async (dataset, engine) => {
      const group = await processGroup();
      return trainEncoder(config, { dataset, engine, group }, options);
    },
    { device, threads },
  );
}
