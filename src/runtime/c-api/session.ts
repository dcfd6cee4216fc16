/** A compiled model, run through the C interface. */
import { messageOf } from '../../errors.ts';
import type { Model } from '../model.ts';
import { keptPrefix, type NamedValues } from '../protocol.ts';
import type { Session } from '../session.ts';
import { FeedStore, type Feeds } from './feeds.ts';
import type { Api, Pointer } from './library.ts';
import { ResultStore } from './results.ts';
import type { CApiState } from './state.ts';
import { check } from './status.ts';
import type { Part, Workplace } from './workplace.ts';

export class CApiSession implements Session, Part {
  readonly #workplace: Workplace;
  readonly #pointer: Pointer;
  readonly #inputs: Names;
  readonly #outputs: Names;
  readonly #state: CApiState | null;
  readonly #feeds: FeedStore;
  readonly #results: ResultStore;
  #freed = false;

  /** @param pointer of the session that ONNX Runtime made, which is freed with this one */
  constructor(workplace: Workplace, pointer: Pointer, { inputs, outputs }: Model, state: CApiState | null) {
    const { environment } = workplace;
    this.#workplace = workplace;
    this.#pointer = pointer;
    this.#inputs = new Names(Object.keys(inputs), environment.api);
    this.#outputs = new Names(Object.keys(outputs), environment.api);
    this.#state = state;
    this.#feeds = new FeedStore(environment, inputs);
    this.#results = new ResultStore(environment, pointer, { inputs, outputs }, state);
    workplace.add(this);
  }

  /** @throws ModelError when the model cannot write the state that it says */
  assertWritable(): void {
    this.#results.assertWritable();
  }

  async hold(feeds: NamedValues): Promise<void> {
    const taken = this.#feeds.take(feeds, {});
    try {
      await this.#workplace.inTurn(() => {
        this.#assertLoaded();
        this.#feeds.hold(taken);
      });
    } catch (error) {
      this.#feeds.giveBack(taken);
      throw error;
    }
  }

  async run(feeds: NamedValues, handedOver: NamedValues = {}, into: NamedValues = {}): Promise<NamedValues> {
    const taken = this.#feeds.take(feeds, handedOver);
    try {
      return await this.#workplace.inTurn(() => this.#compute(taken, into));
    } finally {
      this.#feeds.giveBack(taken);
    }
  }

  release(): Promise<void> {
    return this.#workplace.discard(this);
  }

  async free(): Promise<void> {
    this.#freed = true;
    this.#feeds.free();
    await this.#workplace.thread.call('releaseSession', this.#pointer);
  }

  async #compute(feeds: Feeds, into: NamedValues): Promise<NamedValues> {
    this.#assertLoaded();
    const inputs = BigUint64Array.from(this.#inputs.list, (name) => this.#inputOf(name, feeds));
    try {
      return await this.#computeOn(inputs, into);
    } catch (error) {
      const isOfShape = messageOf(error).includes('pre-allocated output OrtValues');
      if (!isOfShape || !this.#results.distrust()) throw error;
      return await this.#computeOn(inputs, into);
    }
  }

  async #computeOn(inputs: BigUint64Array, into: NamedValues): Promise<NamedValues> {
    const { environment, thread, runOptions } = this.#workplace;
    const room = this.#results.room(into);
    const [inputNames, outputNames] = [this.#inputs.addresses, this.#outputs.addresses];
    const [taken, given] = [inputNames.length, outputNames.length];
    try {
      check(
        environment.api,
        await thread.call(
          'run',
          this.#pointer,
          runOptions,
          inputNames,
          inputs,
          taken,
          outputNames,
          given,
          room.tensors,
        ),
      );
      const results = room.results();
      this.#results.confirm(results);
      for (const name of this.#inputs.list) if (name.startsWith(keptPrefix)) this.#state?.drop(name);
      return results;
    } finally {
      room.release();
    }
  }

  /** @throws Error when there is no value for it */
  #inputOf(name: string, feeds: Feeds): Pointer {
    const tensor = feeds.get(name)?.tensor ?? this.#feeds.held(name) ?? this.#state?.current(name);
    if (tensor === undefined) throw new Error(`input ${name} is missing`);
    return tensor;
  }

  #assertLoaded(): void {
    if (this.#freed) throw new Error('the session was released');
  }
}

/** Names as C takes them: addresses of texts that end with a zero. */
class Names {
  readonly list: readonly string[];
  readonly addresses: BigUint64Array;
  /** What the addresses are of. */
  readonly texts: readonly Uint8Array[];

  constructor(list: readonly string[], { addressOf }: Api) {
    this.list = list;
    this.texts = list.map((name) => new TextEncoder().encode(`${name}\0`));
    this.addresses = BigUint64Array.from(this.texts, addressOf);
  }
}
