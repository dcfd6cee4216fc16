/** Tuning: a dataset → the settings of pre-training that do best on its validation period. */
import { processGroup } from '../../collectives/world.ts';
import { parseConfig } from '../../config.ts';
import type { WorkOptions } from '../../progress.ts';
import { withRunFolder } from '../../runs/run-folder.ts';
import { withDataset } from '../../runs/with-dataset.ts';
import { whatIsLearned } from '../../training/config.ts';
import { type FoundSettings, requireScore, searchTraining } from '../../training/search/search.ts';
import { type TuneConfigInput, tuneConfig } from './config.ts';

/**
 * Tries settings and writes the best. What the log holds is not tried again. Processes that mpirun started together share the trials.
 * @throws CourierError CONFIG_INVALID, OUTPUT_EXISTS, OUTPUT_IN_USE, METRIC_UNDEFINED, INTERRUPTED, those of reading the dataset and
 * of writing, and COMPARISON_FAILED where every trial of a round failed
 */
export async function tune(settings: TuneConfigInput, options: WorkOptions = {}): Promise<FoundSettings> {
  const config = parseConfig(tuneConfig, settings, 'tune configuration');
  const { dataset: folder, out, ...identity } = config;
  const { device, threads } = config.pretrain;
  const search = { ...config, pretrain: { ...config.pretrain, olderShare: null } };
  return withDataset(
    folder,
    async (dataset, engine) => {
      requireScore(dataset, search);
      const pretrain = whatIsLearned(config.pretrain);
      const run = { pipeline: 'tune', config: { ...identity, pretrain }, datasetHash: dataset.hash };
      const group = await processGroup();
      const find = () => searchTraining({ dataset, engine }, search, options, group);
      return withRunFolder(out, run, find, group);
    },
    { device, threads },
  );
}
