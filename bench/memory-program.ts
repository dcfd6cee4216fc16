/** Two steps in a process of their own, whose peak is then theirs. */
import { startStep } from './our-step.ts';

const { step, budget } = JSON.parse(process.argv[2] ?? '');
const started = await startStep(step, budget, false);
await started.round();
const seconds = await started.round();
const { chunk, group } = started.plan;
await started.stop();
const peak = process.resourceUsage().maxRSS * 1024;
process.stdout.write(JSON.stringify({ peak, chunk, group, seconds }));
