/** What all sessions of a process share. */
import { usableCores } from '../../cores.ts';
import type { Api, Pointer } from './library.ts';
import { check, made } from './status.ts';

export interface Environment {
  readonly api: Api;
  readonly pointer: Pointer;
  /** The memory that JavaScript's arrays lie in. */
  readonly memory: Pointer;
  readonly allocator: Pointer;
  /** Threads of the pool that sessions may share; none in a process where another made the environment without one. */
  pooled: number;
}

/** Of the severities 0 (verbose) to 4 (fatal): errors. */
export const severity = 3;

const [deviceAllocator, defaultMemory] = [0, 0];

let environment: Environment | null = null;

/** Made once and never released, with a pool of as many threads as there are cores: ONNX Runtime has one for each process, and ends it with that. */
export function environmentOf(api: Api): Environment {
  environment ??= create(api);
  return environment;
}

function create(api: Api): Environment {
  const pooled = usableCores();
  const options = made(api, (out) => api.createThreadingOptions(out));
  check(api, api.setGlobalIntraOpNumThreads(options, pooled));
  check(api, api.setGlobalInterOpNumThreads(options, 1));
  const pointer = made(api, (out) => api.createEnvWithGlobalThreadPools(severity, 'courier', options, out));
  api.releaseThreadingOptions(options);
  return {
    api,
    pointer,
    memory: made(api, (out) => api.createCpuMemoryInfo(deviceAllocator, defaultMemory, out)),
    allocator: made(api, (out) => api.getAllocatorWithDefaultOptions(out)),
    pooled,
  };
}
