/** The compute engine: ONNX Runtime in a thread of its own, so that progress bars, servers and loaders stay alive meanwhile. */
import { usableCores } from '../cores.ts';
import { type Binding, chooseBinding } from './binding.ts';
import { CApiBackend } from './c-api/backend.ts';
import { openLibrary } from './c-api/library.ts';
import type { Device } from './device.ts';
import type { Model } from './model.ts';
import { NodeBackend } from './node-binding/backend.ts';
import type { EngineOptions } from './protocol.ts';
import type { Backend, EngineState, ModelLoader, Session } from './session.ts';

export { type EngineState, floats, type ModelLoader, type Session } from './session.ts';

export class Engine implements ModelLoader {
  /** Where it computes, how many threads share each operator, and how ONNX Runtime is called. */
  readonly device: Device;
  readonly threads: number;
  readonly binding: Binding;
  readonly #backend: Backend;

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

  /** Ends the thread and frees everything in it. What is being computed comes to nothing. */
  close(): Promise<void> {
    return this.#backend.close();
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
