/** A service in a process of its own that records events and says which are acknowledged, until it is killed. */
import { once } from 'node:events';
import { openService } from '../../src/serving/service.ts';

const [served = '', state = '', first = '0'] = process.argv.slice(2);
const clock = () => 1_900_000_000_000;
const service = await openService({ export: served, state, threads: 1, clock });
process.stdout.write('ready\n');

async function write(writer: number): Promise<void> {
  for (let number = Number(first); ; number++) {
    const id = `${writer}-${number}`;
    const event = { id, kind: number % 3 === 0 ? 'click' : 'exposure' } as const;
    const who = { user: `new user ${writer}`, item: `new item ${number % 7}` };
    const { recorded, known } = await service.record([
      { ...event, ...who, time: 1_800_000_000_000 + number },
    ]);
    if (recorded + known !== 1) throw new Error(`${id} was neither new nor known`);
    if (!process.stdout.write(`${id}\n`)) await once(process.stdout, 'drain');
  }
}

await Promise.all([0, 1, 2, 3].map(write));
