/** The thread that computes: calls what it is told, one call after the other. */
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../errors.ts';
import { answerMessages } from '../../thread-end.ts';
import { makeRoomForComputing, openLibrary, type Status } from './library.ts';
import type { CallReply, CallRequest } from './thread.ts';

makeRoomForComputing();
const library = openLibrary();

function call(request: CallRequest): Status {
  if ('reason' in library) throw new Error(library.reason);
  const { createSessionFromArray, run, releaseSession } = library.api;
  switch (request.name) {
    case 'createSessionFromArray':
      return createSessionFromArray(...request.words);
    case 'run':
      return run(...request.words);
    case 'releaseSession':
      releaseSession(...request.words);
      return null;
  }
}

answerMessages((request: CallRequest) => {
  const send = (reply: CallReply) => parentPort?.postMessage(reply);
  try {
    send({ status: call(request) });
  } catch (error) {
    send({ failure: messageOf(error) });
  }
});
