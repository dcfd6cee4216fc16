/** A step as its plan has it: in one graph, in shares of the cores, or in parts. */
import { oneProcess } from '../collectives/one-process.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import type { EngineState, SharedLoader } from '../runtime/engine.ts';
import { type ContrastiveStep, cutStep, fusedStep } from './contrastive-step.ts';
import { stepInShares } from './step-in-shares.ts';
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
  return keepsAll(description, plan)
    ? stepInShares(engine, state, layout, description, plan)
    : cutStep(engine, state, layout, description, plan, group);
}
