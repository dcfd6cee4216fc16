/** The outputs of a session: where ONNX Runtime writes them, and what is handed over. */
import type { Model } from '../model.ts';
import { ModelError } from '../model-error.ts';
import { assertRoom, keptPrefix, type NamedValues, nextPrefix, type Values } from '../protocol.ts';
import type { Environment } from './environment.ts';
import type { Pointer } from './library.ts';
import type { CApiState } from './state.ts';
import { arrayOf, elementCodes, outputTypes, type TensorType, tensorOver, valuesOf } from './tensor.ts';

type Place =
  /** The spare half of a state, and the name of its tensor. */
  | { readonly kind: 'state'; readonly name: string; readonly tensor: Pointer }
  /** Memory of ours, which is the result. */
  | { readonly kind: 'ours'; readonly name: string; readonly tensor: Pointer; readonly values: Values }
  /** A tensor that ONNX Runtime makes, which is copied, or stays with the state: how long it is turns out then. */
  | { readonly kind: 'theirs' | 'kept'; readonly name: string; readonly tensor: null };

export class ResultStore {
  readonly #environment: Environment;
  readonly #names: readonly string[];
  readonly #inputs: Model['inputs'];
  readonly #outputs: Model['outputs'];
  readonly #types: ReadonlyMap<string, TensorType>;
  readonly #state: CApiState | null;
  /** Outputs that were as long as the model says, and whether to go by that at all. */
  readonly #trusted = new Set<string>();
  #mayTrust = true;

  constructor(
    environment: Environment,
    session: Pointer,
    { inputs, outputs }: Pick<Model, 'inputs' | 'outputs'>,
    state: CApiState | null,
  ) {
    this.#environment = environment;
    this.#names = Object.keys(outputs);
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#types = outputTypes(environment, session);
    this.#state = state;
  }

  /**
   * ONNX Runtime checks the shape of what it writes into, and not always its type.
   * @throws ModelError when an output that replaces a part of the state is not float32
   */
  assertWritable(): void {
    const wrong = this.#names.find(
      (name) => name.startsWith(nextPrefix) && this.#types.get(name)?.code !== elementCodes.float32,
    );
    if (wrong !== undefined) throw new ModelError(`output ${wrong} is not float32, as a state is`);
  }

  /**
   * Room for the results of a run.
   * @param into arrays for some of them
   * @throws Error when there is no state to update, or an array does not fit its output
   */
  room(into: NamedValues): Room {
    for (const [name, array] of Object.entries(into)) this.#assertRoom(name, array);
    const places = this.#names.map((name) => this.#placeOf(name, into[name]));
    return new Room(this.#environment, places, this.#state);
  }

  /** Learns from the results of a run which outputs are as long as the model says. */
  confirm(results: NamedValues): void {
    if (!this.#mayTrust) return;
    for (const [name, { length }] of Object.entries(results)) {
      if (lengthOf(this.#types.get(name)) === length) this.#trusted.add(name);
    }
  }

  /**
   * A model may have an axis open that it does not say is: ONNX Runtime makes room for such outputs, and refuses ours.
   * @returns whether another try, all in room that it makes, may help
   */
  distrust(): boolean {
    const mayHelp = this.#trusted.size > 0;
    this.#mayTrust = false;
    this.#trusted.clear();
    return mayHelp;
  }

  #placeOf(name: string, given: Values | undefined): Place {
    if (this.#state !== null && name.startsWith(nextPrefix)) {
      const updated = name.slice(nextPrefix.length);
      const tensor = this.#state.spare(updated);
      if (tensor === undefined) throw new Error(`${name} has no state to update`);
      return { kind: 'state', name: updated, tensor };
    }
    if (this.#state !== null && name.startsWith(keptPrefix)) return { kind: 'kept', name, tensor: null };
    const type = this.#typeOf(name);
    const length = this.#trusted.has(name) ? lengthOf(type) : null;
    const values = given ?? (type !== undefined && length !== null ? arrayOf(type.code, length) : null);
    if (type === undefined || values === null) return { kind: 'theirs', name, tensor: null };
    return { kind: 'ours', name, values, tensor: tensorOver(this.#environment, type, values) };
  }

  /** @throws Error when an output cannot be written into an array */
  #assertRoom(name: string, array: Values): void {
    const [description, type] = [this.#outputs[name], this.#typeOf(name)];
    const isAsDescribed = description !== undefined && type?.code === elementCodes[description.type];
    assertRoom(name, array, description, isAsDescribed ? lengthOf(type) : null);
  }

  /** Of an output that can be written into memory of ours. */
  #typeOf(name: string): TensorType | undefined {
    // ONNX Runtime gives back an input itself where that is an output too, and leaves our memory as it is.
    return Object.hasOwn(this.#inputs, name) ? undefined : this.#types.get(name);
  }
}

/** Elements of a tensor; null where a length is open, or there are none. */
function lengthOf(type: TensorType | undefined): number | null {
  if (type === undefined || !type.shape.every((axis) => axis > 0)) return null;
  return type.shape.reduce((product, axis) => product * axis, 1);
}

/** For the results of one run. */
export class Room {
  /** Zero where ONNX Runtime makes a tensor, whose address it writes there. */
  readonly tensors: BigUint64Array;
  readonly #environment: Environment;
  readonly #places: readonly Place[];
  readonly #state: CApiState | null;

  constructor(environment: Environment, places: readonly Place[], state: CApiState | null) {
    this.tensors = BigUint64Array.from(places, ({ tensor }) => tensor ?? 0n);
    this.#environment = environment;
    this.#places = places;
    this.#state = state;
  }

  /**
   * What a run has written: the state is replaced, the rest is handed over.
   * @throws ModelError when an output is of a type that is not handed over
   */
  results(): NamedValues {
    for (const { kind, name } of this.#places) if (kind === 'state') this.#state?.swap(name);
    const values: Record<string, Values> = {};
    for (const [index, place] of this.#places.entries()) {
      const { name } = place;
      if (place.kind === 'ours') values[name] = place.values;
      else if (place.kind === 'kept') this.#keep(name, index);
      else if (place.kind === 'theirs' && !name.startsWith(nextPrefix)) {
        values[name] = valuesOf(this.#environment, name, this.tensors[index]!);
      }
    }
    return values;
  }

  #keep(name: string, index: number): void {
    this.#state?.keep(name, this.tensors[index]!);
    this.tensors[index] = 0n;
  }

  release(): void {
    for (const [index, { kind }] of this.#places.entries()) {
      const tensor = this.tensors[index]!;
      if (kind !== 'state' && tensor !== 0n) this.#environment.api.releaseValue(tensor);
    }
  }
}
