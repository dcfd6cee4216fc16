/** Prints a small training, on the device and of the encoder that the arguments name, as one line of JSON. */
import { devices } from '../../src/runtime/device.ts';
import { smallEncoders, trainSmallModel } from './small-training.ts';

const device = devices.find((name) => name === process.argv[2]);
const encoder = smallEncoders.find((name) => name === process.argv[3]);
if (device === undefined || encoder === undefined)
  throw new Error(`not a training: ${process.argv.slice(2)}`);
process.stdout.write(`${JSON.stringify(await trainSmallModel(device, encoder))}\n`);
