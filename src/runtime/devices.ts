/** What this machine can compute on, found out by computing on it. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { CourierError } from '../errors.ts';
import { type AttemptOptions, attemptOn } from './attempt.ts';
import { type Device, type DeviceChoice, devices } from './device.ts';
import { diagnose } from './diagnosis.ts';

interface Usable {
  readonly device: Device;
  readonly usable: true;
  /** Known to be hardware that `auto` may prefer to the CPU. */
  readonly accelerated: boolean;
  readonly detail: string;
}

interface Unusable {
  readonly device: Device;
  readonly usable: false;
  readonly reason: string;
  readonly remedy: string;
}

export type DeviceReport = Usable | Unusable;

/** What `auto` tries, best first. */
const preferred: readonly Device[] = ['cuda', 'webgpu'];

/** Tries every device, all at the same time. */
export function probeDevices(options: AttemptOptions = {}): Promise<readonly DeviceReport[]> {
  return Promise.all(devices.map((device) => probeDevice(device, options)));
}

/**
 * Multiplies two matrices on the device, in a process of its own, and compares the result with the product as
 * JavaScript computes it.
 */
export async function probeDevice(device: Device, options: AttemptOptions = {}): Promise<DeviceReport> {
  const attempt = await attemptOn(device, options);
  const problem = diagnose(device, attempt);
  return problem === null
    ? { device, usable: true, ...describe(device, attempt.log) }
    : { device, usable: false, ...problem };
}

/**
 * The device to compute on. One that was asked for by name is tried first.
 * @throws CourierError DEVICE_UNAVAILABLE when it cannot be used, with the reason and a remedy
 */
export async function chooseDevice(choice: DeviceChoice, options: AttemptOptions = {}): Promise<Device> {
  if (choice === 'cpu') return choice;
  if (choice === 'auto') {
    if (!mayHaveGpu()) return 'cpu';
    return automaticDevice(await Promise.all(preferred.map((device) => probeDevice(device, options))));
  }
  const report = await probeDevice(choice, options);
  if (report.usable) return choice;
  const message = `Device ${choice} cannot be used: ${report.reason}.`;
  throw new CourierError('DEVICE_UNAVAILABLE', message, report.remedy);
}

/** Drivers of GPUs on Linux: Direct Rendering Manager, NVIDIA, Windows' below it, Mali, Adreno, Tegra. */
const gpuFiles = ['dri', 'nvidiactl', 'dxg', 'mali0', 'kgsl-3d0', 'nvhost-ctrl-gpu'];

/** Whether there may be hardware to try, which takes processes and a third of a second: on Linux it has a file. */
function mayHaveGpu(): boolean {
  return process.platform !== 'linux' || gpuFiles.some((name) => existsSync(`/dev/${name}`));
}

/** The device that `auto` stands for: never a program on the CPU that passes for a GPU. */
export function automaticDevice(reports: readonly DeviceReport[]): Device {
  const accelerated = reports.flatMap((report) =>
    report.usable && report.accelerated ? [report.device] : [],
  );
  return preferred.find((device) => accelerated.includes(device)) ?? 'cpu';
}

function describe(device: Device, log: string): Pick<Usable, 'accelerated' | 'detail'> {
  const threads = availableParallelism();
  switch (device) {
    case 'cpu':
      return { accelerated: false, detail: threads === 1 ? '1 thread' : `${threads} threads` };
    case 'cuda':
      return { accelerated: true, detail: 'an NVIDIA GPU' };
    case 'webgpu':
      return describeWebGpu(log);
  }
}

/** GPUs that are programs: SwiftShader; Mesa's llvmpipe, also called lavapipe; Windows' WARP. */
const software = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

function describeWebGpu(log: string): Pick<Usable, 'accelerated' | 'detail'> {
  if (process.platform === 'darwin') return { accelerated: true, detail: 'Metal' };
  const name = /Using "(.+)" with driver/.exec(log)?.[1];
  if (name === undefined) {
    return { accelerated: false, detail: 'a GPU that does not tell its name, so auto leaves it alone' };
  }
  return software.test(name)
    ? { accelerated: false, detail: `${name}, a program on the CPU, so auto leaves it alone` }
    : { accelerated: true, detail: name };
}
