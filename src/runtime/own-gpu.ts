/** Which of several GPUs a process computes on: of those that a launcher started on a machine, each has one of its own. */
import { readdirSync } from 'node:fs';
import type { InferenceSession } from 'onnxruntime-node';
import { localRankOf } from '../collectives/launcher.ts';
import type { Device } from './device.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The number of the GPU among those that CUDA shows to this process. Where there are more processes than GPUs, some share one;
 * a launcher that shows each process only its own leaves nothing to choose.
 * @param present GPUs of the machine
 */
export function ownGpu(environment: Environment, present: number): number {
  const { CUDA_VISIBLE_DEVICES: visible } = environment;
  const shown = visible === undefined ? present : visible.split(',').filter(Boolean).length;
  return shown < 2 ? 0 : localRankOf(environment) % shown;
}

/** How ONNX Runtime is told where to compute. WebGPU has no numbers: the driver's first choice is everybody's. */
export function providerOf(device: Device): InferenceSession.ExecutionProviderConfig {
  return device === 'cuda'
    ? { name: device, deviceId: ownGpu(process.env, gpusIn(filesOf('/dev'))) }
    : device;
}

/** As NVIDIA's driver for Linux shows them; elsewhere nobody starts several processes. */
function gpusIn(devices: readonly string[]): number {
  return devices.filter((name) => /^nvidia\d+$/.test(name)).length;
}

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
