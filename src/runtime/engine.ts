/** ONNX Runtime in a thread of its own, so that progress bars, servers and loaders stay alive meanwhile. */

import { Worker } from 'node:worker_threads';
import { usableCores } from '../cores.ts';
import type { Device } from './device.ts';
import { handOver } from './hand-over.ts';
import type { Model, Target } from './model.ts';
import { ModelError } from './model-error.ts';
import type { EngineOptions, NamedValues, Reply, Request } from './protocol.ts';

interface Pending {
  readonly resolve: (values: NamedValues) => void;
  readonly reject: (error: Error) => void;
}

/** Where models are compiled: an engine, or a scope of one. */
export interface ModelLoader {
  createState(values: Readonly<Record<string, Float32Array>>): Promise<EngineState>;
  load(model: Model, state?: EngineState | null): Promise<Session>;
}

export class Engine implements ModelLoader {
  /** Where it computes, and how many threads share each operator. */
  readonly device: Device;
  readonly threads: number;
  readonly #worker: Worker;
  readonly #target: Target;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #failure: Error | null = null;

  private constructor(worker: Worker, { device, threads }: EngineOptions) {
    this.device = device;
    this.threads = threads;
    this.#worker = worker;
    this.#target = device === 'webgpu' ? 'standard' : 'fused';
    worker.on('message', (reply: Reply) => this.#settle(reply));
    worker.on('error', (error) => this.#failAll(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => this.#failAll(new Error('the compute thread ended')));
  }

  /**
   * Starts the compute thread; by default on the CPU, where every core takes part in each operator.
   * Another device should come from `chooseDevice`, which tries it first: a broken driver ends the process.
   */
  static start(options: Partial<EngineOptions> = {}): Engine {
    const { threads = usableCores(), device = 'cpu' } = options;
    const workerData: EngineOptions = { threads, device };
    const file = import.meta.url.endsWith('.ts') ? './worker-from-source.js' : './worker.js';
    const worker = new Worker(new URL(file, import.meta.url), { workerData });
    return new Engine(worker, workerData);
  }

  /** Tensors that stay in the compute thread and that training steps replace. */
  async createState(values: Readonly<Record<string, Float32Array>>): Promise<EngineState> {
    const state = new EngineState(this, this.#nextId++);
    await state.write(values);
    return state;
  }

  /**
   * Compiles a model. Inputs named like a tensor of `state` are taken from it.
   * @throws ModelError when ONNX Runtime does not take the model
   */
  async load(model: Model, state: EngineState | null = null): Promise<Session> {
    const session = new Session(this, this.#nextId++);
    const { inputs, outputs } = model;
    const encoded = { bytes: model.encode(this.#target), inputs, outputs };
    await this.request({ kind: 'load', session: session.id, model: encoded, state: state?.id ?? null });
    return session;
  }

  /** Ends the thread and frees everything in it. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  /**
   * One request to the compute thread. Arrays are copied on the way, so the caller's stay as they are.
   * @param buffers memory of arrays that are not: the caller cannot read them any more
   */
  request(request: Request, buffers: readonly ArrayBuffer[] = []): Promise<NamedValues> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, request }, buffers);
    });
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.ok) pending?.resolve(reply.values);
    else pending?.reject(reply.ofModel ? new ModelError(reply.message) : new Error(reply.message));
  }

  #failAll(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

/** What is loaded through it is freed together: for work that ends before its engine does. */
export class EngineScope implements ModelLoader {
  readonly #engine: Engine;
  readonly #sessions: Session[] = [];
  readonly #states: EngineState[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async createState(values: Readonly<Record<string, Float32Array>>): Promise<EngineState> {
    const state = await this.#engine.createState(values);
    this.#states.push(state);
    return state;
  }

  async load(model: Model, state: EngineState | null = null): Promise<Session> {
    const session = await this.#engine.load(model, state);
    this.#sessions.push(session);
    return session;
  }

  async release(): Promise<void> {
    for (const session of this.#sessions.splice(0)) await session.release();
    for (const state of this.#states.splice(0)) await state.release();
  }
}

export class EngineState {
  readonly id: number;
  readonly #engine: Engine;
  #released = false;

  constructor(engine: Engine, id: number) {
    this.#engine = engine;
    this.id = id;
  }

  async write(values: Readonly<Record<string, Float32Array>>): Promise<void> {
    await this.#engine.request({ kind: 'writeState', state: this.id, values });
  }

  /** Copies of its tensors. @param names of those that are wanted; by default all */
  async read(names: readonly string[] | null = null): Promise<Readonly<Record<string, Float32Array>>> {
    const values = await this.#engine.request({ kind: 'readState', state: this.id, names });
    return Object.fromEntries(Object.keys(values).map((name) => [name, floats(values, name)]));
  }

  /** Frees the tensors, once; sessions that use them must be released first. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#engine.request({ kind: 'releaseState', state: this.id });
  }
}

export class Session {
  readonly id: number;
  readonly #engine: Engine;
  #released = false;

  constructor(engine: Engine, id: number) {
    this.#engine = engine;
    this.id = id;
  }

  /** Keeps values of inputs for every run from now on, so that they are copied once. Replaces what was kept. */
  async hold(feeds: NamedValues): Promise<void> {
    await this.#engine.request({ kind: 'hold', session: this.id, feeds });
  }

  /**
   * Runs the model once. Values are in row-major order; their number must fill the input's shape.
   * @param handedOver more values, whose arrays are not copied and not the caller's any more: for large ones
   * @returns every output that is not part of the state
   * @throws ModelError when the model cannot be computed on these values
   */
  run(feeds: NamedValues, handedOver: NamedValues = {}): Promise<NamedValues> {
    const { values, buffers } = handOver(handedOver);
    return this.#engine.request({ kind: 'run', session: this.id, feeds: { ...feeds, ...values } }, buffers);
  }

  /** Frees the compiled model, once. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#engine.request({ kind: 'release', session: this.id });
  }
}

/** The float32 output of that name. @throws ModelError when there is none */
export function floats(values: NamedValues, name: string): Float32Array {
  const found = values[name];
  if (found instanceof Float32Array) return found;
  throw new ModelError(`there is no float32 output ${name}`);
}
