/** Why a device cannot be used, and what to do about it, in words. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Attempt } from './attempt.ts';
import type { Device } from './device.ts';

export interface Problem {
  readonly reason: string;
  readonly remedy: string;
}

/** null: the device computed, and computed right. */
export function diagnose(device: Device, { end, log }: Attempt): Problem | null {
  switch (end.kind) {
    case 'computed':
      return end.wrong === 0
        ? null
        : { reason: `${end.wrong} of its values are wrong`, remedy: general[device] };
    case 'not offered':
      return {
        reason: `ONNX Runtime has no ${device} for ${process.platform} ${process.arch}`,
        remedy: 'Use another device.',
      };
    case 'timed out':
      return { reason: `it gave no answer within ${end.seconds} seconds`, remedy: general[device] };
    case 'crashed':
      return { reason: `it ended its process (${end.how})`, remedy: general[device] };
    case 'failed':
      return (
        knownProblem(device, `${end.message}\n${log}`) ?? {
          reason: end.message.trim(),
          remedy: general[device],
        }
      );
  }
}

/** For whatever has no better one. */
const general: Readonly<Record<Device, string>> = {
  cpu: 'Install the dependencies anew (npm install) on a platform that ONNX Runtime supports.',
  webgpu: "Install or update your GPU's graphics driver, or use another device.",
  cuda: 'Install or update the NVIDIA driver, CUDA 12 and cuDNN 9, or use another device.',
};

interface Symptom {
  readonly device: Device;
  readonly pattern: RegExp;
  /** May use what the pattern's group has found. */
  readonly problem: (found: string) => Problem;
}

/** The first that matches counts, so the more telling ones come first. */
const symptoms: readonly Symptom[] = [
  {
    device: 'webgpu',
    pattern: /Couldn't load Vulkan/,
    problem: () => ({
      reason: 'the Vulkan loader is not installed',
      remedy:
        'With a GPU: install the loader and the driver, on Debian or Ubuntu libvulkan1 and mesa-vulkan-drivers, ' +
        'for NVIDIA its own driver.',
    }),
  },
  {
    device: 'webgpu',
    pattern: /Vulkan (\S+) required/,
    problem: (feature) => ({
      reason: `the graphics driver lacks ${feature}, which WebGPU needs`,
      remedy: "Install or update your GPU's graphics driver. Mesa's llvmpipe, a program on the CPU, is none.",
    }),
  },
  {
    device: 'webgpu',
    pattern: /No supported adapters/,
    problem: () => ({
      reason: 'no graphics driver is found that has a GPU',
      remedy: 'With a GPU: install its driver, on Debian or Ubuntu mesa-vulkan-drivers, for NVIDIA its own.',
    }),
  },
  {
    device: 'cuda',
    pattern: /libonnxruntime_providers_\w+\.so: cannot open shared object file/,
    problem: () => ({
      reason: "ONNX Runtime's CUDA libraries are not installed",
      remedy: `With an NVIDIA GPU, CUDA 12 and cuDNN 9: node ${installScript()} --onnxruntime-node-install=cuda12`,
    }),
  },
  {
    device: 'cuda',
    pattern: /(lib[\w.+-]+): cannot open shared object file/,
    problem: (library) => ({
      reason: `the library ${library} is not found`,
      remedy: 'Install the NVIDIA driver, CUDA 12 and cuDNN 9, and name their folders in LD_LIBRARY_PATH.',
    }),
  },
];

function knownProblem(device: Device, text: string): Problem | undefined {
  for (const symptom of symptoms) {
    const match = symptom.device === device ? symptom.pattern.exec(text) : null;
    if (match !== null) return symptom.problem(match[1] ?? '');
  }
  return undefined;
}

function installScript(): string {
  const description = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  return join(dirname(description), 'script', 'install.js');
}
