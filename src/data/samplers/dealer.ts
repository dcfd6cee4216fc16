/** Dealing training samples in random order, batch by batch, so that it can be stopped and gone on with. */

import { Random, type RandomState } from '../../random.ts';

/** What pre-training takes its batches from. */
export interface Sampler<Batch> {
  /** How many samples there are. */
  readonly sampleCount: number;
  /** S, samples of every batch: the configured number, or all samples if there are fewer. */
  readonly batchSize: number;
  /** Where it stands: what `restore` takes to go on with the very next batch. */
  readonly state: SamplerState;
  next(): Batch;
  restore(state: SamplerState): void;
}

/** Where a sampler stands: enough to go on with the very next batch. */
export interface SamplerState {
  /** Of the generator before it shuffled the current epoch. */
  readonly random: RandomState;
  readonly epoch: number;
  /** Batches taken from the current epoch. */
  readonly taken: number;
}

/** The samples of a batch, by their numbers. */
export interface Hand {
  readonly samples: Int32Array;
  readonly epoch: number;
  /** Counted from 1 within the epoch. */
  readonly batch: number;
}

/** Deals samples in random order, each once per epoch. */
export class Dealer<Batch> implements Sampler<Batch> {
  readonly sampleCount: number;
  readonly batchSize: number;
  /** What does not fill a batch waits for another shuffle. */
  readonly batchesPerEpoch: number;
  readonly #assemble: (hand: Hand) => Batch;
  #random: Random;
  #start: RandomState;
  #order: Int32Array;
  #epoch = 0;
  #taken = 0;

  /** @param assemble makes a batch of samples */
  constructor(sampleCount: number, batchSize: number, random: Random, assemble: (hand: Hand) => Batch) {
    this.sampleCount = sampleCount;
    this.batchSize = Math.min(batchSize, sampleCount);
    this.batchesPerEpoch = sampleCount === 0 ? 0 : Math.floor(sampleCount / this.batchSize);
    this.#assemble = assemble;
    this.#random = random;
    this.#start = random.state;
    this.#order = this.#shuffle();
  }

  get state(): SamplerState {
    return { random: this.#start, epoch: this.#epoch, taken: this.#taken };
  }

  restore(state: SamplerState): void {
    this.#random = Random.fromState(state.random);
    this.#order = this.#shuffle();
    this.#epoch = state.epoch;
    this.#taken = state.taken;
  }

  next(): Batch {
    if (this.#taken === this.batchesPerEpoch) {
      this.#order = this.#shuffle();
      this.#epoch++;
      this.#taken = 0;
    }
    const from = this.#taken++ * this.batchSize;
    const samples = this.#order.subarray(from, from + this.batchSize);
    return this.#assemble({ samples, epoch: this.#epoch, batch: this.#taken });
  }

  #shuffle(): Int32Array {
    this.#start = this.#random.state;
    return this.#random.shuffle(Int32Array.from({ length: this.sampleCount }, (_, index) => index));
  }
}
