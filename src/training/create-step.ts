/** A step as its plan has it: in one graph, in shares of the cores, or in parts. */
import type { ParameterLayout } from '../graph/parameters.ts';
import type { EngineState, SharedLoader } from '../runtime/engine.ts';
import { type ContrastiveStep, cutStep, fusedStep } from './contrastive-step.ts';
import { stepInShares } from './step-in-shares.ts';
import { isFused, keepsAll, type StepDescription, type StepPlan } from './step-models.ts';

/** @param state parameters and slots; where the batch is not one graph, also `gradientState` */
export function createStep<Batch>(
  engine: SharedLoader,
  state: EngineState,
  layout: ParameterLayout,
  description: StepDescription<Batch>,
  plan: StepPlan,
): Promise<ContrastiveStep<Batch>> {
  if (isFused(description, plan)) return fusedStep(engine, state, description, plan);
  return keepsAll(description, plan)
    ? stepInShares(engine, state, layout, description, plan)
    : cutStep(engine, state, layout, description, plan);
}
