/**
 * ONNX Runtime through its C interface: it reads and writes JavaScript's memory in place. Preparing a call takes
 * microseconds and happens here; what computes happens in a thread of its own.
 */
import { messageOf } from '../../errors.ts';
import type { Model } from '../model.ts';
import type { Backend, EngineState, Session } from '../session.ts';
import { severity } from './environment.ts';
import type { Api, Pointer } from './library.ts';
import { CApiSession } from './session.ts';
import { CApiState } from './state.ts';
import { check, made } from './status.ts';
import { Workplace } from './workplace.ts';

const everyOptimization = 99;

export class CApiBackend implements Backend {
  readonly #workplace: Workplace;
  readonly #threads: number;

  /** @param threads that share each operator */
  constructor(api: Api, threads: number) {
    this.#workplace = new Workplace(api);
    this.#threads = threads;
  }

  async createState(values: Readonly<Record<string, Float32Array>>): Promise<EngineState> {
    const state = new CApiState(this.#workplace);
    await state.write(values);
    return state;
  }

  async load(model: Model, state: EngineState | null = null): Promise<Session> {
    if (state !== null && !(state instanceof CApiState)) throw new Error('the state is of another engine');
    const bytes = model.encode('fused');
    return this.#workplace.inTurn(async () => {
      const session = new CApiSession(this.#workplace, await this.#compile(bytes), model, state);
      session.assertWritable();
      return session;
    });
  }

  close(): Promise<void> {
    return this.#workplace.close();
  }

  /** Sessions of engines that compute with all cores share a pool; several pools keep the cores from each other. */
  async #compile(bytes: Uint8Array): Promise<Pointer> {
    const { environment } = this.#workplace;
    const shares = this.#threads > 1 && this.#threads === environment.pooled;
    try {
      return await this.#compileWith(this.#sessionOptions(shares), bytes);
    } catch (error) {
      if (!shares || !messageOf(error).includes('CreateEnvWithGlobalThreadPools')) throw error;
      environment.pooled = 0;
      return await this.#compileWith(this.#sessionOptions(false), bytes);
    }
  }

  async #compileWith(options: Pointer, bytes: Uint8Array): Promise<Pointer> {
    const { environment, thread } = this.#workplace;
    const { api, pointer } = environment;
    const out = new BigUint64Array(1);
    try {
      check(api, await thread.call('createSessionFromArray', pointer, bytes, bytes.length, options, out));
      return out[0]!;
    } finally {
      api.releaseSessionOptions(options);
    }
  }

  #sessionOptions(sharesPool: boolean): Pointer {
    const { api } = this.#workplace.environment;
    const options = made(api, (out) => api.createSessionOptions(out));
    const statuses = [
      api.setSessionGraphOptimizationLevel(options, everyOptimization),
      api.setSessionLogSeverityLevel(options, severity),
      // It would take the memory of a run a second time, in one piece, and saves no time that can be measured.
      api.disableMemPattern(options),
      api.setInterOpNumThreads(options, 1),
      sharesPool ? api.disablePerSessionThreads(options) : api.setIntraOpNumThreads(options, this.#threads),
    ];
    for (const status of statuses) check(api, status);
    return options;
  }
}
