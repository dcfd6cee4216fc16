/** One of the processes that share training steps; the first one says what each took. */
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
const steps = [];
for (let round = 0; round < rounds; round++) steps.push(await step.figures());
await step.stop();
if (group.rank === 0) process.stdout.write(JSON.stringify({ fused: step.fused, plan: step.plan, steps }));
