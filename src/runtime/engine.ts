/** The compute engine: ONNX Runtime in a thread of its own, so that progress bars, servers and loaders stay alive meanwhile. */
import { usableCores } from '../cores.ts';
import { type Binding, chooseBinding } from './binding.ts';
import { CApiBackend } from './c-api/backend.ts';
import { openLibrary } from './c-api/library.ts';
import type { Device } from './device.ts';
import type { Model } from './model.ts';
import { NodeBackend } from './node-binding/backend.ts';
import type { EngineOptions } from './protocol.ts';
import type { Backend, EngineState, Session, SharedLoader } from './session.ts';

export { type EngineState, floats, type ModelLoader, type Session, type SharedLoader } from './session.ts';

export class Engine implements SharedLoader {
  /** Where it computes, how many threads share each operator, and how ONNX Runtime is called. */
  readonly device: Device;
  readonly threads: number;
  readonly binding: Binding;
  readonly #backend: Backend;
  readonly #perCore: Engine[] = [];

  private constructor(options: EngineOptions) {
    this.device = options.device;
    this.threads = options.threads;
    this.binding = options.binding;
    this.#backend = backendOf(options);
  }

  /**
   * Starts the compute thread; by default on the CPU, where every core takes part in each operator.
   * Another device should come from `chooseDevice`, which tries it first: a broken driver ends the process.
   */
  static start(options: Partial<EngineOptions> = {}): Engine {
    const { threads = usableCores(), device = 'cpu' } = options;
    const { binding = chooseBinding(device).binding } = options;
    return new Engine({ threads, device, binding });
  }

  /** Tensors that stay with the engine and that training steps replace. */
  createState(values: Readonly<Record<string, Float32Array>>): Promise<EngineState> {
    return this.#backend.createState(values);
  }

  /**
   * Compiles a model. Inputs named like a tensor of `state` are taken from it.
   * @throws ModelError when ONNX Runtime does not take the model
   */
  load(model: Model, state: EngineState | null = null): Promise<Session> {
    return this.#backend.load(model, state);
  }

  get cores(): number {
    return this.device === 'cpu' && this.binding === 'c-api' ? this.threads : 1;
  }

  get keepsInPlace(): boolean {
    return this.binding === 'c-api';
  }

  perCore(count: number): readonly Engine[] {
    const { device, binding } = this;
    while (this.#perCore.length < count) this.#perCore.push(Engine.start({ device, binding, threads: 1 }));
    return this.#perCore.slice(0, count);
  }

  /** Ends the thread and frees everything in it. What is being computed comes to nothing. */
  async close(): Promise<void> {
    await Promise.all([this.#backend, ...this.#perCore].map((each) => each.close()));
  }
}

function backendOf({ device, threads, binding }: EngineOptions): Backend {
  if (binding === 'node') return new NodeBackend({ device, threads });
  if (device !== 'cpu') throw new Error(`${device} is reached through the binding for Node alone`);
  const library = openLibrary();
  if ('api' in library) return new CApiBackend(library.api, threads);
  throw new Error(library.reason);
}

/** What is loaded through it is freed together: for work that ends before its engine does. */
export class EngineScope implements SharedLoader {
  readonly #engine: Engine;
  readonly #sessions: Session[] = [];
  readonly #states: EngineState[] = [];
  #perCore: readonly EngineScope[] = [];

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

  get cores(): number {
    return this.#engine.cores;
  }

  get keepsInPlace(): boolean {
    return this.#engine.keepsInPlace;
  }

  perCore(count: number): readonly EngineScope[] {
    const begun = this.#perCore.length;
    const more = this.#engine.perCore(count).slice(begun);
    this.#perCore = [...this.#perCore, ...more.map((engine) => new EngineScope(engine))];
    return this.#perCore.slice(0, count);
  }

  async release(): Promise<void> {
    for (const scope of this.#perCore) await scope.release();
    for (const session of this.#sessions.splice(0)) await session.release();
    for (const state of this.#states.splice(0)) await state.release();
  }
}
