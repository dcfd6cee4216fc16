/** A step of all that is not an embedding of an id: by one process as one graph, or shared by several. */
import type { Exchange } from '../collectives/exchange.ts';
import { createOptimizer } from '../graph/optimizers.ts';
import { layoutOf, type ParameterLayout, parametersOf } from '../graph/parameters.ts';
import { type FloatTensor, scalar } from '../graph/tensor.ts';
import {
  buildGradientPart,
  buildTrainingStep,
  buildUpdate,
  gradientState,
  scalarFeeds,
} from '../graph/training-step.ts';
import { type EngineState, floats, type ModelLoader } from '../runtime/engine.ts';
import type { NamedValues } from '../runtime/protocol.ts';

/** Trains all but the embeddings of ids. */
export const denseOptimizer = createOptimizer({ name: 'adam', weightDecay: 0 });

/** What the optimiser is told of a step. */
interface StepPlace {
  /** t = 1, 2, … */
  readonly step: number;
  readonly learningRate: number;
}

/** Two parts: between them the gradient of the embeddings is there, so that they change while the second one goes on. */
export interface DenseStep {
  /** @param gradient where that of the embeddings is written */
  begin(
    feeds: NamedValues,
    embedded: NamedValues,
    gradient: NamedValues,
    place: StepPlace,
  ): Promise<NamedValues>;
  /**
   * Sees to it that the parameters have changed.
   * @param begun what the first part gave
   * @returns the loss of the whole batch before that
   */
  end(begun: NamedValues, place: StepPlace): Promise<number>;
}

/** A step before it is compiled. */
export interface DensePlan {
  readonly layout: ParameterLayout;
  readonly parameters: readonly FloatTensor[];
  /** What the engine keeps for it besides parameters and slots, as it begins. */
  readonly scratch: Readonly<Record<string, Float32Array>>;
  load(engine: ModelLoader, state: EngineState): Promise<DenseStep>;
}

type Embedded = Readonly<Record<string, FloatTensor>>;

const update = { optimizer: denseOptimizer, clipNorm: null };

function scalarsOf({ step, learningRate }: StepPlace) {
  return scalarFeeds(denseOptimizer, step, learningRate);
}

/** Forward, backward and the optimiser in one graph. */
export function wholeStep(loss: FloatTensor, embedded: Embedded): DensePlan {
  const { model, layout, parameters } = buildTrainingStep(loss, { ...update, inputGradients: embedded });
  return {
    layout,
    parameters,
    scratch: {},
    async load(engine, state) {
      const session = await engine.load(model, state);
      return {
        begin: (feeds, values, gradient, place) =>
          session.run({ ...feeds, ...scalarsOf(place) }, values, gradient),
        end: async (begun) => floats(begun, 'loss')[0]!,
      };
    },
  };
}

/** Input of the update: the gradient of all processes. (P) */
const sharedGradient = 'sharedGradient';

/**
 * The gradient of the own share of a batch; and, once it is summed over all processes, the same update in each.
 * @param loss of the share, such that the sum over all is that of the batch
 */
export function sharedStep(loss: FloatTensor, embedded: Embedded, exchange: Exchange): DensePlan {
  const parameters = parametersOf([loss]);
  const layout = layoutOf(parameters);
  const backward = buildGradientPart(loss, scalar(1), layout, {
    outputs: { loss },
    inputGradients: embedded,
  });
  return {
    layout,
    parameters,
    scratch: { [gradientState]: new Float32Array(layout.size) },
    async load(engine, state) {
      const backwards = await engine.load(backward, state);
      const updating = await engine.load(buildUpdate(layout, update, sharedGradient), state);
      return {
        begin: (feeds, values, gradient) => backwards.run(feeds, values, gradient),
        async end(begun, place) {
          const { [gradientState]: own } = await state.read([gradientState]);
          // The loss goes along.
          const summed = new Float32Array(layout.size + 1);
          summed.set(own!);
          summed[layout.size] = floats(begun, 'loss')[0]!;
          await exchange.sum(summed);
          await updating.run(scalarsOf(place), { [sharedGradient]: summed.slice(0, layout.size) });
          return summed[layout.size]!;
        },
      };
    },
  };
}
