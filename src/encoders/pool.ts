/** Several compute threads with the same encoder, each on a batch of its own. */
import { usableCores } from '../cores.ts';
import type { Device } from '../runtime/device.ts';
import { Engine } from '../runtime/engine.ts';
import type { BatchEncoder } from './embed-rows.ts';
import type { EncoderFile } from './file.ts';
import { ExportedEncoder } from './load.ts';

/** Each holds the weights once more. */
const mostEngines = 8;

/**
 * On a CPU, cores that share every operator wait for each other at its end, and for whoever else wants a core,
 * such as the decoder of photos; cores with a batch each do not. The results are the same to the last bit.
 */
export class EncoderPool implements BatchEncoder {
  readonly #engines: readonly Engine[];
  readonly #encoders: readonly ExportedEncoder[];
  #next = 0;

  private constructor(engines: readonly Engine[], encoders: readonly ExportedEncoder[]) {
    this.#engines = engines;
    this.#encoders = encoders;
  }

  /**
   * The caller closes the pool.
   * @param cores that it may use; by default all
   * @throws CourierError FILE_CORRUPT when the engine does not take the model
   */
  static async open(
    file: EncoderFile,
    device: Device = 'cpu',
    cores: number = usableCores(),
  ): Promise<EncoderPool> {
    const engines = startEngines(device, cores);
    try {
      const encoders = await Promise.all(engines.map((engine) => ExportedEncoder.load(file, engine)));
      return new EncoderPool(engines, encoders);
    } catch (error) {
      await closeAll(engines);
      throw error;
    }
  }

  get dimension(): number {
    return this.#encoders[0]!.dimension;
  }

  get size(): number {
    return this.#encoders.length;
  }

  /** Embeds a batch, by the threads in turn. (n, S, S, 3) → (n, d) */
  embed(pixels: Uint8Array): Promise<Float32Array> {
    const encoder = this.#encoders[this.#next++ % this.#encoders.length]!;
    return encoder.embed(pixels);
  }

  close(): Promise<void> {
    return closeAll(this.#engines);
  }
}

/** A core each with batches of its own, as long as they are not too many; one for a device. */
export function startEngines(device: Device, cores: number): readonly Engine[] {
  const count = device === 'cpu' ? Math.min(cores, mostEngines) : 1;
  const threads = Math.floor(cores / count);
  return Array.from({ length: count }, () => Engine.start({ device, threads }));
}

export async function closeAll(engines: readonly Engine[]): Promise<void> {
  await Promise.all(engines.map((engine) => engine.close()));
}
