/** What a ranker has learned that several processes train together: in each its own rows of the table, in a file all of them. */
import type { ProcessGroup } from '../collectives/process-group.ts';
import { broadcastJson } from '../collectives/texts.ts';
import type { RankerState, RankerWeights, Vectors } from './model.ts';
import { gatherState, scatterState } from './table-states.ts';

/** Brings the rows of all to the first process. @returns in the others what they gave */
export async function gatherRanker<Learned extends RankerState | RankerWeights>(
  group: ProcessGroup,
  own: Learned,
): Promise<Learned> {
  return { ...own, table: await gatherState(group, own.table) };
}

/**
 * Gives all what the first process has, and each its rows of the table.
 * @param whole of the first process; others give none
 */
export async function scatterRanker(group: ProcessGroup, whole: RankerState | null): Promise<RankerState> {
  const about = whole && { layout: whole.layout, step: whole.step, names: Object.keys(whole.vectors) };
  const known = await broadcastJson(group, about);
  if (known === null) throw new Error('the first process has no ranker');
  const { layout, step, names } = known;
  const vectors: Record<string, Float32Array> = {};
  for (const name of names) {
    const values = whole?.vectors[name] ?? new Float32Array(layout.size);
    await group.broadcast(values);
    vectors[name] = values;
  }
  const table = await scatterState(group, whole?.table ?? null);
  return { layout, vectors: requireParameters(vectors), table, step };
}

function requireParameters({ parameters, ...slots }: Readonly<Record<string, Float32Array>>): Vectors {
  if (parameters === undefined) throw new Error('the ranker has no parameters');
  return { parameters, ...slots };
}
