/** Prints a small training on the device that the argument names as one line of JSON. */
import { devices } from '../../src/runtime/devices.ts';
import { trainSmallModel } from './small-training.ts';

const device = devices.find((name) => name === process.argv[2]);
if (device === undefined) throw new Error(`no device ${process.argv[2]}`);
process.stdout.write(`${JSON.stringify(await trainSmallModel(device))}\n`);
