/** The inputs of a session: tensors over what callers give, copied, taken over or shared. */
import { bytesOf, copyOf, free, isShared, takeOver } from '../hand-over.ts';
import type { Model } from '../model.ts';
import { inputsOf, type NamedValues, shapeOf, type Values } from '../protocol.ts';
import type { Environment } from './environment.ts';
import type { Pointer } from './library.ts';
import { elementCodes, tensorOver } from './tensor.ts';

/** A value of an input, and the tensor that reads it. */
interface Feed {
  readonly values: Values;
  readonly tensor: Pointer;
  /** Its memory is the session's own, and may take another copy. */
  readonly reusable: boolean;
}

/** By input. */
export type Feeds = ReadonlyMap<string, Feed>;

export class FeedStore {
  readonly #environment: Environment;
  readonly #inputs: Model['inputs'];
  /** Memory of earlier copies: taking memory from the system anew for each run costs more than filling it. */
  readonly #reusable = new Map<string, Feed>();
  #held: Feeds = new Map();
  #freed = false;

  constructor(environment: Environment, inputs: Model['inputs']) {
    this.#environment = environment;
    this.#inputs = inputs;
  }

  /**
   * Makes values the session's own; whoever takes them gives them back.
   * @throws Error when one does not fit its input
   */
  take(feeds: NamedValues, handedOver: NamedValues): Feeds {
    const given = Object.entries(inputsOf(feeds, this.#inputs)).filter(([name]) => !(name in handedOver));
    const taken = Object.entries(takeOver(inputsOf(handedOver, this.#inputs)));
    return new Map([
      ...given.map(
        ([name, values]) =>
          [name, isShared(values) ? this.#over(name, values) : this.#copy(name, values)] as const,
      ),
      ...taken.map(([name, values]) => [name, this.#over(name, values)] as const),
    ]);
  }

  /** Nothing reads them any more. */
  giveBack(feeds: Feeds): void {
    for (const [name, feed] of feeds) {
      if (!feed.reusable || this.#freed) {
        this.#discard(feed);
        continue;
      }
      const other = this.#reusable.get(name);
      if (other !== undefined) this.#discard(other);
      this.#reusable.set(name, feed);
    }
  }

  /** Keeps them for all runs from now on, instead of those that were kept. */
  hold(feeds: Feeds): void {
    this.giveBack(this.#held);
    this.#held = feeds;
  }

  held(name: string): Pointer | undefined {
    return this.#held.get(name)?.tensor;
  }

  free(): void {
    this.#freed = true;
    this.hold(new Map());
    for (const feed of this.#reusable.values()) this.#discard(feed);
    this.#reusable.clear();
  }

  #copy(name: string, values: Values): Feed {
    const earlier = this.#reusable.get(name);
    if (earlier?.values.length !== values.length)
      return { ...this.#over(name, copyOf(values)), reusable: true };
    this.#reusable.delete(name);
    bytesOf(earlier.values).set(bytesOf(values));
    return earlier;
  }

  #over(name: string, values: Values): Feed {
    const description = this.#inputs[name]!;
    const type = { code: elementCodes[description.type], shape: shapeOf(name, values, description) };
    return { values, tensor: tensorOver(this.#environment, type, values), reusable: false };
  }

  #discard({ values, tensor }: Feed): void {
    this.#environment.api.releaseValue(tensor);
    free([values]);
  }
}
