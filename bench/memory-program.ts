/** A step in a process of its own, whose peak is then its own. */
import { startStep } from './our-step.ts';

const { step, budget } = JSON.parse(process.argv[2] ?? '');
const started = await startStep(step, budget, false);
const seconds = await started.round();
const { chunk, group } = started.plan;
await started.stop();
const peak = process.resourceUsage().maxRSS * 1024;
process.stdout.write(JSON.stringify({ peak, chunk, group, seconds }));
