/** A step as its plan has it: in one graph, with all activations kept, or cut. */
import { oneProcess } from '../collectives/one-process.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import type { EngineState, SharedLoader } from '../runtime/engine.ts';
import { type ContrastiveStep, cutStep, fusedStep } from './contrastive-step.ts';
import { keptStep } from './kept-step.ts';
import { isFused, keepsAll, type StepDescription, type StepPlan } from './step-models.ts';

/**
 * @param state parameters and slots; where the batch is not one graph, also `gradientState`
 * @param group the processes that share the step, as many as the description says; all have the same state and give the same batches
 */
export function createStep<Batch>(
  engine: SharedLoader,
  state: EngineState,
  layout: ParameterLayout,
  description: StepDescription<Batch>,
  plan: StepPlan,
  group: ProcessGroup = oneProcess,
): Promise<ContrastiveStep<Batch>> {
  if (isFused(description, plan)) return fusedStep(engine, state, description, plan);
  const create = keepsAll(description, plan) ? keptStep : cutStep;
  return create(engine, state, layout, description, plan, group);
}
