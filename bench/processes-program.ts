/** One of the processes that share training steps; the first one says what each took. */
import type { ProcessGroup } from '../src/collectives/process-group.ts';
import { processGroup } from '../src/collectives/world.ts';
import { featureHead } from '../src/encoders/feature-head.ts';
import { createEncoder } from '../src/encoders/index.ts';
import { describeEncoder, noiseFeatures, noisePhotos, startDescribed } from './our-step.ts';

const { what, photos, samples, threads, rounds, how } = JSON.parse(process.argv[2] ?? '');
const group = await processGroup();
const [side, components] = [64, 512];
const encoder =
  what === 'head'
    ? featureHead({
        head: { name: 'both', hidden: 512, dropout: 0 },
        components,
        grids: [],
        dimension: 128,
      })
    : createEncoder({ name: what, side, head: 'mean', dimension: 128 });
const read = what === 'head' ? noiseFeatures(components) : noisePhotos(side);
const description = describeEncoder(encoder, photos, samples, group.size);
const step = await startDescribed(description, threads, how, read, true, group);
const sum = watchSum(group);
const steps = [];
for (let round = 0; round < rounds; round++) {
  const figures = await step.figures();
  steps.push({ ...figures, found: { ...figures.found, sumMs: sum.milliseconds } });
}
await step.stop();
if (group.rank === 0) process.stdout.write(JSON.stringify({ fused: step.fused, plan: step.plan, steps }));

/** How long the last long sum took, from the moment at which all had come to it: that of a step's gradients. */
function watchSum(group: ProcessGroup): { readonly milliseconds: number } {
  const watched = { milliseconds: 0 };
  const allReduce = group.allReduce.bind(group);
  group.allReduce = async (values) => {
    if (values.length < 1000) return allReduce(values);
    await group.barrier();
    const began = performance.now();
    await allReduce(values);
    watched.milliseconds = performance.now() - began;
  };
  return watched;
}
