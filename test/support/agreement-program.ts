/** One of several processes that have come to different parameters, or to the same. */
import { processGroup } from '../../src/collectives/world.ts';
import { Engine } from '../../src/runtime/engine.ts';
import { requireSameState } from '../../src/runtime/same-state.ts';

const group = await processGroup();
const engine = Engine.start({ threads: 1 });
const state = await engine.createState({ parameters: Float32Array.of(1, 2), slot: Float32Array.of(3) });
await requireSameState(group, state, 6);
const last = group.rank === group.size - 1;
await state.write({ parameters: Float32Array.of(1, 2), slot: Float32Array.of(last ? 3 + 2 ** -20 : 3) });
await requireSameState(group, state, 7);
