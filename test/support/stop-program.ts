/** Waits until it is stopped, as a long command would between two safe places. */
import { stopWhenAsked } from '../../src/cli/stop.ts';

stopWhenAsked(process.stderr);
setInterval(() => {}, 1000);
process.stdout.write('ready\n');
