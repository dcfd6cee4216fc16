import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  type SmallEncoder,
  type SmallTraining,
  smallEncoders,
  trainSmallModel,
} from '../../test/support/small-training.ts';
import {
  hasSoftwareGpu,
  noGpuEnvironment,
  softwareGpu,
  softwareGpuEnvironment,
} from '../../test/support/software-gpu.ts';
import { devices } from './device.ts';
import { automaticDevice, chooseDevice, type DeviceReport, probeDevice, probeDevices } from './devices.ts';

const usable = (device: DeviceReport['device'], accelerated: boolean): DeviceReport => ({
  device,
  usable: true,
  accelerated,
  detail: '',
});
const unusable = (device: DeviceReport['device']): DeviceReport => ({
  device,
  usable: false,
  reason: 'none',
  remedy: 'none',
});

describe('probeDevices', () => {
  it('reports every device once, the CPU as usable, and for each other one what it is or what to do', async () => {
    const reports = await probeDevices();
    expect(reports.map(({ device }) => device)).toEqual([...devices]);
    expect(reports[0]).toMatchObject({ device: 'cpu', usable: true, accelerated: false });
    for (const report of reports) {
      const texts = report.usable ? [report.detail] : [report.reason, report.remedy];
      for (const text of texts) expect(text).toMatch(/^\S.*\S$/);
    }
  });

  it('survives a device that ends its process, and one that never answers', async () => {
    const crashed = await probeDevice('cpu', {
      environment: { ...process.env, NODE_OPTIONS: '--no-such-option' },
    });
    expect(crashed).toMatchObject({ usable: false, reason: expect.stringContaining('ended its process') });
    const silent = await probeDevice('cpu', { secondsToAnswer: 0.01 });
    expect(silent).toMatchObject({
      usable: false,
      reason: expect.stringContaining('no answer within 0.01 s'),
    });
  });
});

describe('automaticDevice', () => {
  it('prefers CUDA, then WebGPU on hardware, then the CPU', () => {
    const cpu = usable('cpu', false);
    expect(automaticDevice([cpu, usable('webgpu', true), usable('cuda', true)])).toBe('cuda');
    expect(automaticDevice([cpu, usable('webgpu', true), unusable('cuda')])).toBe('webgpu');
    expect(automaticDevice([cpu, usable('webgpu', false), unusable('cuda')])).toBe('cpu');
    expect(automaticDevice([cpu, unusable('webgpu'), unusable('cuda')])).toBe('cpu');
  });
});

describe('chooseDevice', () => {
  it('takes the CPU without trying it', async () => {
    expect(await chooseDevice('cpu', { secondsToAnswer: 0.01 })).toBe('cpu');
  });

  it('refuses a device that cannot be used, with the reason and a remedy', async () => {
    await expect(chooseDevice('webgpu', { secondsToAnswer: 0.01 })).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringMatching(/^Device webgpu cannot be used: it gave no answer within/),
      remedy: expect.stringContaining('driver'),
    });
  });
});

describe.skipIf(!hasSoftwareGpu)(`webgpu ${softwareGpu}`, () => {
  const seen = { environment: softwareGpuEnvironment };

  it('is usable, told from hardware by its name, taken when asked for, and never taken by auto', async () => {
    const report = await probeDevice('webgpu', seen);
    expect(report).toMatchObject({ usable: true, accelerated: false });
    expect(report).toHaveProperty('detail', expect.stringContaining('SwiftShader'));
    expect(await chooseDevice('webgpu', seen)).toBe('webgpu');
    expect(await chooseDevice('auto', seen)).toBe('cpu');
  });

  it('is not usable without a driver, and says so', async () => {
    const report = await probeDevice('webgpu', { environment: noGpuEnvironment });
    expect(report).toMatchObject({ usable: false, reason: 'no graphics driver is found that has a GPU' });
  });

  it.each(smallEncoders)('embeds and trains as the CPU does: %s', async (encoder) => {
    const there = await trainedOnWebGpu(softwareGpuEnvironment, encoder);
    const here = await trainSmallModel('cpu', encoder);
    expect(difference(there.embeddings, here.embeddings)).toBeLessThan(1e-3);
    expect(difference(there.losses, here.losses)).toBeLessThan(1e-3);
    expect(difference(there.changes, here.changes)).toBeLessThan(1e-3);
  });

  // Otherwise the test above could compare the CPU with itself.
  it('does not train anywhere else when there is no GPU', async () => {
    await expect(trainedOnWebGpu(noGpuEnvironment, 'vit')).rejects.toThrow('No supported adapters');
  });
});

/** In a process of its own: which libraries and drivers are found is settled when a process starts. */
async function trainedOnWebGpu(env: NodeJS.ProcessEnv, encoder: SmallEncoder): Promise<SmallTraining> {
  const words = ['--import', 'tsx', 'test/support/small-training-program.ts', 'webgpu', encoder];
  const { stdout } = await promisify(execFile)(process.execPath, words, { env, maxBuffer: 2 ** 24 });
  return JSON.parse(stdout);
}

/** Length of the difference of two vectors, as a share of the second's. */
function difference(actual: readonly number[], expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return Math.hypot(...expected.map((value, index) => value - actual[index]!)) / Math.hypot(...expected);
}
