/** What most pipelines need while they work, and what must be closed when they end, however they end. */
import type { Dataset } from '../data/dataset.ts';
import { closeDataset, loadDataset } from '../data/store.ts';
import type { DeviceChoice } from '../runtime/device.ts';
import { chooseDevice } from '../runtime/devices.ts';
import { Engine } from '../runtime/engine.ts';

/**
 * Runs the work on a dataset folder with a compute thread of its own.
 * @param where on the CPU and with all cores by default
 * @throws CourierError DEVICE_UNAVAILABLE before anything is read; whatever opening the dataset throws
 */
export async function withDataset<T>(
  folder: string,
  work: (dataset: Dataset, engine: Engine) => Promise<T>,
  where: { readonly device?: DeviceChoice; readonly threads?: number | undefined } = {},
): Promise<T> {
  const device = await chooseDevice(where.device ?? 'cpu');
  const dataset = await loadDataset(folder);
  const { threads } = where;
  const engine = Engine.start({ device, ...(threads === undefined ? {} : { threads }) });
  try {
    return await work(dataset, engine);
  } finally {
    closeDataset(dataset);
    await engine.close();
  }
}
