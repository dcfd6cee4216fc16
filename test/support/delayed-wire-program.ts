/**
 * A wire between two network namespaces that holds every packet back for a while, for kernels that cannot do so (netem):
 * `delayed-wire-program.ts CARD MILLISECONDS NAMESPACE NAMESPACE`. The cards are TUN devices that are there already. It says
 * `ready` once packets go over, and goes on as long as the process that started it.
 */
import { closeSync, openSync } from 'node:fs';
import { setPriority } from 'node:os';
import { loadKoffi } from '../../src/koffi.ts';

const [card = '', milliseconds, ...namespaces] = process.argv.slice(2);
const delay = Number(milliseconds);

const libc = loadKoffi().load('libc.so.6');
const setns = libc.func('int setns(int file, int kind)');
const ioctl = libc.func('int ioctl(int file, unsigned long request, void *argument)');
const read = libc.func('long read(int file, void *buffer, size_t count)');
const write = libc.func('long write(int file, void *buffer, size_t count)');
const ppoll = libc.func('int ppoll(void *files, unsigned long count, void *timeout, void *signals)');

// Of <fcntl.h>, <sched.h>, <linux/if_tun.h> and <poll.h>.
const [readWrite, nonBlocking, newNetwork] = [0o2, 0o4000, 0x40000000];
const [setInterface, tun, withoutHeader] = [0x400454ca, 0x1, 0x1000];
const readable = 1;

interface Held {
  readonly packet: Uint8Array;
  readonly due: number;
}

/** The end of the wire in a namespace, whose device belongs to whoever opens it there. */
function endIn(name: string): number {
  const namespace = openSync(`/run/netns/${name}`, 'r');
  if (setns(namespace, newNetwork) !== 0) throw new Error(`${name} cannot be entered`);
  closeSync(namespace);
  const end = openSync('/dev/net/tun', readWrite | nonBlocking);
  const request = new Uint8Array(40);
  request.set(new TextEncoder().encode(card));
  new DataView(request.buffer).setInt16(16, tun | withoutHeader, true);
  if (ioctl(end, setInterface, request) !== 0) throw new Error(`${name} has no TUN device ${card}`);
  return end;
}

const ends = namespaces.map(endIn);
const waiting = ends.map((): Held[] => []);
const polled = new DataView(new ArrayBuffer(8 * ends.length));
for (const [place, end] of ends.entries()) {
  polled.setInt32(8 * place, end, true);
  polled.setInt16(8 * place + 4, readable, true);
}
const files = new Uint8Array(polled.buffer);
const timeout = new BigInt64Array(2);
const buffer = new Uint8Array(65_536);
// A wire does not wait for a processor.
setPriority(-20);
const parent = process.ppid;
process.stdout.write('ready\n', () => {
  // Whoever started it may have been killed.
  while (process.ppid === parent) relay();
});

/** Waits until a packet has come or is due; takes what has come, and gives what is due to the other end. */
function relay(): void {
  const first = Math.min(...waiting.map(([packet]) => packet?.due ?? Number.POSITIVE_INFINITY));
  const rest = Math.min(1000, Math.max(0, first - performance.now()));
  timeout[0] = BigInt(Math.floor(rest / 1000));
  timeout[1] = BigInt(Math.floor((rest % 1000) * 1e6));
  ppoll(files, ends.length, timeout, null);
  for (const [place, end] of ends.entries()) {
    for (let packet = next(end); packet !== null; packet = next(end))
      waiting[place]!.push({ packet, due: performance.now() + delay });
    const due = waiting[place]!.findIndex((held) => held.due > performance.now());
    const ready = waiting[place]!.splice(0, due < 0 ? waiting[place]!.length : due);
    const other = ends[1 - place]!;
    for (const { packet } of ready) write(other, packet, packet.length);
  }
}

/** The next packet that has come; null: there is none. */
function next(end: number): Uint8Array | null {
  const length: number = read(end, buffer, buffer.length);
  return length > 0 ? buffer.slice(0, length) : null;
}
