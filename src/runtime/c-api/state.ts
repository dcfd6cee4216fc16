/** Training state in JavaScript's memory, which ONNX Runtime reads and writes in place. */
import { free } from '../hand-over.ts';
import type { EngineState } from '../session.ts';
import type { Pointer } from './library.ts';
import { elementCodes, tensorOver } from './tensor.ts';
import type { Part, Workplace } from './workplace.ts';

interface Slot {
  readonly values: Float32Array;
  readonly tensor: Pointer;
}

/**
 * Two sets of buffers: a step reads `current` and writes `spare`, then they change places. No output ever aliases an
 * input: a step that reads a parameter after it has written it would be silently wrong.
 */
export class CApiState implements EngineState, Part {
  readonly #workplace: Workplace;
  #current = new Map<string, Slot>();
  #spare = new Map<string, Slot>();
  /** Outputs that wait for the model that takes them. */
  readonly #kept = new Map<string, Pointer>();

  constructor(workplace: Workplace) {
    this.#workplace = workplace;
  }

  /** The tensor that a run reads. */
  current(name: string): Pointer | undefined {
    return this.#current.get(name)?.tensor ?? this.#kept.get(name);
  }

  /** The tensor that a run writes. */
  spare(name: string): Pointer | undefined {
    return this.#spare.get(name)?.tensor;
  }

  /** Takes an output over, until it is dropped. */
  keep(name: string, tensor: Pointer): void {
    this.drop(name);
    this.#kept.set(name, tensor);
  }

  /** Frees an output that was kept, if it was. */
  drop(name: string): void {
    const tensor = this.#kept.get(name);
    if (tensor === undefined) return;
    this.#kept.delete(name);
    this.#workplace.environment.api.releaseValue(tensor);
  }

  /** Makes what was written the current value. */
  swap(name: string): void {
    const [before, after] = [this.#current.get(name), this.#spare.get(name)];
    if (before === undefined || after === undefined) return;
    this.#current.set(name, after);
    this.#spare.set(name, before);
  }

  async write(values: Readonly<Record<string, Float32Array>>): Promise<void> {
    const copies = Object.entries(values).map(([name, array]) => [name, array.slice()] as const);
    await this.#workplace.inTurn(() => {
      this.free();
      this.#workplace.add(this);
      for (const [name, array] of copies) {
        this.#current.set(name, this.#slotOver(array));
        this.#spare.set(name, this.#slotOver(new Float32Array(array.length)));
      }
    });
  }

  read(names: readonly string[] | null = null): Promise<Readonly<Record<string, Float32Array>>> {
    return this.#workplace.inTurn(() =>
      Object.fromEntries(
        [...this.#current]
          .filter(([name]) => names?.includes(name) ?? true)
          .map(([name, { values }]) => [name, values.slice()]),
      ),
    );
  }

  release(): Promise<void> {
    return this.#workplace.discard(this);
  }

  /** Frees the tensors at once. Nothing may be computing. */
  free(): void {
    for (const name of this.#kept.keys()) this.drop(name);
    const slots = [...this.#current.values(), ...this.#spare.values()];
    this.#current.clear();
    this.#spare.clear();
    for (const { tensor } of slots) this.#workplace.environment.api.releaseValue(tensor);
    free(slots.map(({ values }) => values));
  }

  #slotOver(values: Float32Array): Slot {
    const type = { code: elementCodes.float32, shape: [values.length] };
    return { values, tensor: tensorOver(this.#workplace.environment, type, values) };
  }
}
