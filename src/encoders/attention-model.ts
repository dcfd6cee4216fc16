/** The attention of a trained reconstruction, as pretrain exports it: which earlier clicks a candidate is rebuilt from. */
import { CourierError, messageOf } from '../errors.ts';
import { decodeModel } from '../graph/onnx-schema.ts';
import type { Engine, Session } from '../runtime/engine.ts';
import { floats } from '../runtime/engine.ts';
import { ModelError } from '../runtime/model-error.ts';
import { readInput } from '../storage/files.ts';

/** How far the weights of a candidate may be from 1 in sum. */
const tolerance = 1e-3;

export class AttentionModel {
  /** History places P that it takes. */
  readonly places: number;
  readonly #path: string;
  readonly #session: Session;
  readonly #dimension: number;

  private constructor(path: string, session: Session, dimension: number, places: number) {
    this.#path = path;
    this.#session = session;
    this.#dimension = dimension;
    this.places = places;
  }

  /**
   * The caller releases the model.
   * @param dimension length d of an embedding
   * @throws CourierError FILE_NOT_FOUND; FILE_CORRUPT when it does not fit the embeddings
   */
  static async open(
    path: string,
    dimension: number,
    places: number,
    engine: Engine,
  ): Promise<AttentionModel> {
    const bytes = new Uint8Array(await readInput(path, 'Attention model'));
    const model = {
      encode: () => bytes,
      inputs: {
        candidates: { type: 'float32', shape: [1, dimension] },
        history: { type: 'float32', shape: [1, places, dimension] },
        mask: { type: 'float32', shape: [1, places] },
      },
      outputs: { attention: { type: 'float32', shape: [1, places] } },
    } as const;
    try {
      return new AttentionModel(path, await engine.load(model), dimension, places);
    } catch (error) {
      throw error instanceof ModelError ? unusable(path, error.message) : error;
    }
  }

  /**
   * The mean over attention heads, newest click first. (n, P)
   * @param questions a candidate and the earlier clicks that can be compared with it, newest first, at least one: numbers of rows
   * @param vectors (N, d)
   * @throws CourierError FILE_CORRUPT when it gives no weights
   */
  async attend(
    questions: readonly { readonly item: number; readonly history: readonly number[] }[],
    vectors: Float32Array,
  ): Promise<Float32Array> {
    const [dimension, places] = [this.#dimension, this.places];
    const candidates = new Float32Array(questions.length * dimension);
    const history = new Float32Array(questions.length * places * dimension);
    const mask = new Float32Array(questions.length * places);
    const copy = (item: number, target: Float32Array, row: number) =>
      target.set(vectors.subarray(item * dimension, (item + 1) * dimension), row * dimension);
    for (const [index, question] of questions.entries()) {
      copy(question.item, candidates, index);
      for (const [place, earlier] of question.history.slice(0, places).entries()) {
        copy(earlier, history, index * places + place);
        mask[index * places + place] = 1;
      }
    }
    try {
      const weights = floats(await this.#session.run({ candidates, history, mask }), 'attention');
      this.#check(weights, mask, questions.length);
      return weights;
    } catch (error) {
      throw error instanceof ModelError ? unusable(this.#path, error.message) : error;
    }
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  #check(weights: Float32Array, mask: Float32Array, count: number): void {
    if (weights.length !== mask.length) throw unusable(this.#path, `it gave ${weights.length} weights`);
    for (let index = 0; index < count; index++) {
      let sum = 0;
      for (let at = index * this.places; at < (index + 1) * this.places; at++)
        if (mask[at] === 1) sum += weights[at]!;
      // Written so that NaN fails too.
      if (!(Math.abs(sum - 1) <= tolerance))
        throw unusable(this.#path, `the weights of a click sum to ${sum}`);
    }
  }
}

/**
 * History places that a model takes.
 * @throws CourierError FILE_NOT_FOUND; FILE_CORRUPT for a file that is no such model
 */
export async function attentionPlaces(path: string): Promise<number> {
  const bytes = new Uint8Array(await readInput(path, 'Attention model'));
  try {
    const history = decodeModel(bytes).graph.input.find(({ name }) => name === 'history');
    const places = history?.type?.tensorType?.shape?.dim[1]?.dimValue;
    if (places === undefined) throw new Error('it does not say how many clicks it takes');
    return places;
  } catch (error) {
    throw unusable(path, messageOf(error));
  }
}

function unusable(model: string, why: string): CourierError {
  return new CourierError(
    'FILE_CORRUPT',
    `${model} does not give attention weights for these embeddings: ${why}`,
    'Use the attention.onnx and the embeddings of one and the same run of pretrain.',
  );
}
