/** A program of its own: runs the models that it is sent, one after the other. */
import { messageOf } from '../errors.ts';
import { Engine } from './engine.ts';
import type { NamedValues } from './protocol.ts';
import type { TrialReply, TrialRequest } from './trial.ts';

const engine = Engine.start();

async function run({ model, feeds }: TrialRequest): Promise<readonly NamedValues[]> {
  const { inputs, outputs } = model;
  const bytes = new Uint8Array(model.bytes);
  const session = await engine.load({ encode: () => bytes, inputs, outputs });
  const results: NamedValues[] = [];
  for (const each of feeds) results.push(await session.run(each));
  await session.release();
  return results;
}

process.on('message', (request: TrialRequest) => {
  const send = (reply: TrialReply) => process.send?.(reply);
  run(request).then(
    (results) => send({ ok: true, results }),
    (error: unknown) => send({ ok: false, message: messageOf(error) }),
  );
});
// Whoever started it is gone; an ordinary end would wait for what is being computed.
const end = () => process.kill(process.pid, 'SIGKILL');
process.on('disconnect', end);
// It may have gone before anybody listened.
if (!process.connected) end();
