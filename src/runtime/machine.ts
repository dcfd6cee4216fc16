/** What there is besides devices: Node.js, processor, memory, disk, libraries. */
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import { version as duckdbVersion } from '@duckdb/node-api';
import sharp from 'sharp';
import { describeMpi, type MpiReport } from '../collectives/describe.ts';
import { oldestNode, version, versions } from '../version.ts';
import { type BindingChoice, chooseBinding } from './binding.ts';
import { usableMemory } from './memory.ts';

export interface Machine {
  readonly courier: string;
  readonly node: { readonly version: string; readonly oldest: string; readonly newEnough: boolean };
  readonly system: string;
  readonly processor: {
    readonly model: string;
    /** Threads that can run at the same time. */
    readonly cores: number;
    /** The widest vector instructions; null where the system does not tell. */
    readonly vectors: string | null;
  };
  /** In bytes. `usable` is less than `total` in a container with a limit. */
  readonly memory: { readonly total: number; readonly usable: number; readonly free: number };
  /** In bytes. */
  readonly disk: { readonly folder: string; readonly free: number };
  readonly libraries: Readonly<Record<string, string>>;
  /** How ONNX Runtime is called on the CPU. */
  readonly binding: BindingChoice;
  /** What several processes would speak to each other through. */
  readonly mpi: MpiReport;
}

/**
 * @param folder whose disk is looked at
 * @throws CourierError CONFIG_INVALID when the environment asks for a binding that cannot be had
 */
export async function describeMachine(folder: string): Promise<Machine> {
  const node = process.versions.node;
  const { bavail, bsize } = await statfs(folder);
  return {
    courier: version,
    node: { version: node, oldest: oldestNode, newEnough: isAtLeast(node, oldestNode) },
    system: `${platform()} ${arch()}`,
    processor: {
      model: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      vectors: vectorInstructions(processorFile()),
    },
    memory: { total: totalmem(), usable: usableMemory(), free: process.availableMemory() },
    disk: { folder, free: bavail * bsize },
    libraries: {
      'ONNX Runtime': versions()['onnxruntime-node'] ?? 'unknown',
      sharp: sharp.versions.sharp ?? 'unknown',
      libvips: sharp.versions.vips,
      DuckDB: duckdbVersion().replace(/^v/, ''),
    },
    binding: chooseBinding('cpu'),
    mpi: describeMpi(),
  };
}

/** Whether `20.20.1` is `20.19` or newer. */
export function isAtLeast(version: string, oldest: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldest.split('.').map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/** From the text of Linux' /proc/cpuinfo. */
export function vectorInstructions(cpuinfo: string): string | null {
  const flags = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.split(/\s+/);
  if (flags === undefined) return null;
  if (flags.includes('avx512f')) return 'AVX-512';
  return flags.includes('avx2') ? 'AVX2' : 'no AVX2';
}

function processorFile(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
