/**
 * ONNX Runtime through its binding for Node, in a thread of its own, since it keeps the thread while it computes. It copies
 * every output, and what goes between the threads is copied or handed over.
 */

import { Worker } from 'node:worker_threads';
import { programFile } from '../../program-file.ts';
import { endThread } from '../../thread-end.ts';
import { bytesOf, handOver } from '../hand-over.ts';
import type { Model, Target } from '../model.ts';
import { ModelError } from '../model-error.ts';
import { assertRoom, inputsOf, type NamedValues } from '../protocol.ts';
import { type Backend, type EngineState, floats, type Session } from '../session.ts';
import { sendNothingHome } from '../telemetry.ts';
import type { Reply, Request, ThreadOptions } from './messages.ts';

interface Pending {
  readonly resolve: (values: NamedValues) => void;
  readonly reject: (error: Error) => void;
}

export class NodeBackend implements Backend {
  readonly #worker: Worker;
  readonly #target: Target;
  readonly #closed = new Int32Array(new SharedArrayBuffer(4));
  readonly #pending = new Map<number, Pending>();
  /** Requests that the thread has not answered, whether or not anybody waits for them. */
  #unanswered = 0;
  #answered = () => {};
  #nextId = 0;
  #failure: Error | null = null;

  constructor(options: Omit<ThreadOptions, 'closed'>) {
    sendNothingHome();
    this.#worker = new Worker(programFile(import.meta.url, 'worker'), {
      workerData: { ...options, closed: this.#closed } satisfies ThreadOptions,
    });
    this.#target = options.device === 'webgpu' ? 'standard' : 'fused';
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    this.#worker.on('error', (error) =>
      this.#failAll(error instanceof Error ? error : new Error(String(error))),
    );
    this.#worker.on('exit', () => {
      this.#unanswered = 0;
      this.#answered();
      this.#failAll(new Error('the compute thread ended'));
    });
  }

  async createState(values: Readonly<Record<string, Float32Array>>): Promise<EngineState> {
    const state = new NodeState(this, this.#nextId++);
    await state.write(values);
    return state;
  }

  async load(model: Model, state: EngineState | null = null): Promise<Session> {
    if (state !== null && !(state instanceof NodeState)) throw new Error('the state is of another engine');
    const { inputs, outputs } = model;
    const session = new NodeSession(this, this.#nextId++, model);
    const encoded = { bytes: model.encode(this.#target), inputs, outputs };
    await this.request({ kind: 'load', session: session.id, model: encoded, state: state?.id ?? null });
    return session;
  }

  async close(): Promise<void> {
    Atomics.store(this.#closed, 0, 1);
    this.#failure ??= new Error('the compute thread ended');
    // The binding ends the process if its thread is ended while it computes.
    if (this.#unanswered > 0) await new Promise<void>((resolve) => (this.#answered = resolve));
    await endThread(this.#worker);
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
      this.#unanswered++;
      this.#worker.postMessage({ id, request }, buffers);
    });
  }

  #settle(reply: Reply): void {
    if (--this.#unanswered === 0) this.#answered();
    // Whoever closes looks at what he has begun once that is done: an error before would go unhandled.
    if (this.#failure !== null) return;
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.ok) pending?.resolve(reply.values);
    else pending?.reject(reply.ofModel ? new ModelError(reply.message) : new Error(reply.message));
  }

  #failAll(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
  }
}

class NodeState implements EngineState {
  readonly id: number;
  readonly #backend: NodeBackend;
  #released = false;

  constructor(backend: NodeBackend, id: number) {
    this.#backend = backend;
    this.id = id;
  }

  async write(values: Readonly<Record<string, Float32Array>>): Promise<void> {
    await this.#backend.request({ kind: 'writeState', state: this.id, values });
  }

  async read(names: readonly string[] | null = null): Promise<Readonly<Record<string, Float32Array>>> {
    const values = await this.#backend.request({ kind: 'readState', state: this.id, names });
    return Object.fromEntries(Object.keys(values).map((name) => [name, floats(values, name)]));
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#backend.request({ kind: 'releaseState', state: this.id });
  }
}

class NodeSession implements Session {
  readonly id: number;
  readonly #backend: NodeBackend;
  readonly #model: Pick<Model, 'inputs' | 'outputs'>;
  #released = false;

  constructor(backend: NodeBackend, id: number, { inputs, outputs }: Model) {
    this.#backend = backend;
    this.id = id;
    this.#model = { inputs, outputs };
  }

  async hold(feeds: NamedValues): Promise<void> {
    await this.#backend.request({
      kind: 'hold',
      session: this.id,
      feeds: inputsOf(feeds, this.#model.inputs),
    });
  }

  async run(feeds: NamedValues, handedOver: NamedValues = {}, into: NamedValues = {}): Promise<NamedValues> {
    const { values, buffers } = handOver(inputsOf(handedOver, this.#model.inputs));
    const all = { ...inputsOf(feeds, this.#model.inputs), ...values };
    const results = await this.#backend.request({ kind: 'run', session: this.id, feeds: all }, buffers);
    for (const [name, room] of Object.entries(into)) {
      const values = results[name];
      assertRoom(name, room, this.#model.outputs[name], values?.length ?? null);
      if (values !== undefined) bytesOf(room).set(bytesOf(values));
    }
    return { ...results, ...into };
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#backend.request({ kind: 'release', session: this.id });
  }
}
