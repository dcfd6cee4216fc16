/** What every group of processes has to do, however many they are. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { gatherBytes } from '../../src/collectives/gather.ts';
import { doneByFirst } from '../../src/collectives/order.ts';
import { offsetsOf, type ProcessGroup } from '../../src/collectives/process-group.ts';
import { allGatherNumbers, allGatherTexts, broadcastText } from '../../src/collectives/texts.ts';
import { workTogether } from '../../src/collectives/together.ts';
import { CourierError } from '../../src/errors.ts';

type Check = (group: ProcessGroup) => Promise<void>;

/** A value that no other process and place has. */
const valueAt = (rank: number, place: number) => 100 * (rank + 1) + place;

const ranksOf = ({ size }: ProcessGroup) => Array.from({ length: size }, (_, rank) => rank);

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** Parts of different lengths, the second one empty. */
const unevenOf = (group: ProcessGroup) => ranksOf(group).map((rank) => (rank === 1 ? 0 : 3 + 7 * rank));

/** A port of this machine, and what ends once so many have connected to it. */
async function listenFor(count: number) {
  const server = createServer().listen(0, '127.0.0.1');
  const come = new Promise<void>((resolve) => {
    let missing = count;
    if (missing === 0) resolve();
    server.on('connection', (socket) => {
      socket.end();
      if (--missing === 0) resolve();
    });
  });
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { port: address.port, all: come.then(() => server.close()) };
}

async function tickAndConnect(port: number): Promise<void> {
  for (let tick = 0; tick < 4; tick++) await setTimeout(1);
  await once(connect(port, '127.0.0.1').resume(), 'close');
}

export const collectivesContract: Readonly<Record<string, Check>> = {
  'knows its place among the processes, and among those of its machine': async (group) => {
    assert.ok(group.rank >= 0 && group.rank < group.size);
    assert.ok(group.localRank >= 0 && group.localRank < group.localSize && group.localSize <= group.size);
    const ranks = await allGatherNumbers(group, group.rank);
    assert.deepEqual(ranks, ranksOf(group));
  },

  'adds up float32 in place, the same everywhere': async (group) => {
    const values = Float32Array.from({ length: 20 }, (_, place) => valueAt(group.rank, place));
    await group.allReduce(values);
    for (const [place, value] of values.entries())
      assert.equal(value, sum(ranksOf(group).map((rank) => valueAt(rank, place))));
  },

  'adds up float64 to all of its digits': async (group) => {
    const values = Float64Array.of(1 + 2 ** -50, 2 ** 40 + 2 ** -10);
    const one = values.slice();
    await group.allReduce(values);
    assert.deepEqual(
      [...values],
      [...one].map((value) => value * group.size),
    );
  },

  'gathers parts of different lengths, empty ones too, in the order of ranks': async (group) => {
    const lengths = unevenOf(group);
    const offsets = offsetsOf(lengths);
    const whole = new Float32Array(sum(lengths));
    for (let place = 0; place < lengths[group.rank]!; place++)
      whole[offsets[group.rank]! + place] = valueAt(group.rank, place);
    await group.allGather(whole, lengths);
    const expected = lengths.flatMap((length, rank) =>
      Array.from({ length }, (_, place) => valueAt(rank, place)),
    );
    assert.deepEqual([...whole], expected);
  },

  'gathers bytes and 64-bit numbers as they are': async (group) => {
    const ones = ranksOf(group).map(() => 1);
    const [bytes, large] = [new Uint8Array(group.size), new BigInt64Array(group.size)];
    bytes[group.rank] = 255 - group.rank;
    large[group.rank] = -(2n ** 62n) + BigInt(group.rank);
    await Promise.all([group.allGather(bytes, ones), group.allGather(large, ones)]);
    assert.deepEqual(
      [...bytes],
      ranksOf(group).map((rank) => 255 - rank),
    );
    assert.deepEqual(
      [...large],
      ranksOf(group).map((rank) => -(2n ** 62n) + BigInt(rank)),
    );
  },

  'gives each process its part of a sum, and leaves what was summed': async (group) => {
    const lengths = unevenOf(group);
    const values = Float32Array.from({ length: sum(lengths) }, (_, place) => valueAt(group.rank, place));
    const before = values.slice();
    const part = new Float32Array(lengths[group.rank]!);
    await group.reduceScatter(values, lengths, part);
    const from = offsetsOf(lengths)[group.rank]!;
    const expected = Array.from(part, (_, place) =>
      sum(ranksOf(group).map((rank) => valueAt(rank, from + place))),
    );
    assert.deepEqual([...part], expected);
    assert.deepEqual(values, before);
  },

  'sends each process a part of its own, of different lengths': async (group) => {
    const lengthOf = (from: number, to: number) => ((from + 2 * to) % 4 === 0 ? 0 : 5 * from + to);
    const sent = ranksOf(group).map((to) => lengthOf(group.rank, to));
    const lengths = ranksOf(group).map((from) => lengthOf(from, group.rank));
    const partOf = (from: number, to: number) =>
      Array.from({ length: lengthOf(from, to) }, (_, place) => 10_000 * to + valueAt(from, place));
    const values = Int32Array.from(ranksOf(group).flatMap((to) => partOf(group.rank, to)));
    const received = new Int32Array(sum(lengths));
    await group.allToAll(values, sent, received, lengths);
    assert.deepEqual(
      [...received],
      ranksOf(group).flatMap((from) => partOf(from, group.rank)),
    );
  },

  'brings what one has to all, whoever it is': async (group) => {
    for (const root of ranksOf(group)) {
      const values = Float64Array.from({ length: 11 }, (_, place) => valueAt(group.rank, place));
      await group.broadcast(values, root);
      assert.deepEqual(
        [...values],
        Array.from(values, (_, place) => valueAt(root, place)),
      );
    }
  },

  'brings texts to all, long, short and empty ones': async (group) => {
    const own = group.rank === 0 ? '' : `Größe ${'x'.repeat(10 * group.rank)}`;
    const texts = await allGatherTexts(group, own);
    assert.equal(texts[group.rank], own);
    assert.equal(texts[0], '');
    assert.equal(await broadcastText(group, `from ${group.rank}`), 'from 0');
  },

  'brings the bytes of all to the first process, and to no other': async (group) => {
    const lengths = unevenOf(group);
    const own = new Uint8Array(lengths[group.rank]!).fill(group.rank + 1);
    const all = await gatherBytes(group, own, lengths);
    const expected = lengths.map((length, rank) => Array.from({ length }, () => rank + 1));
    assert.deepEqual(
      all.map((bytes) => [...bytes]),
      group.rank === 0 ? expected : [],
    );
  },

  'ends work in all with what all have done, or with the error of the one that failed': async (group) => {
    const last = group.size - 1;
    const fails = async () => {
      if (group.rank === last) throw new CourierError('LOG_EMPTY', 'there is no log', 'Give one.');
      return group.rank;
    };
    await assert.rejects(workTogether(group, fails), { code: 'LOG_EMPTY', remedy: 'Give one.' });
    const done = await workTogether(group, async () => ({ by: group.rank }));
    assert.deepEqual(
      done,
      ranksOf(group).map((by) => ({ by })),
    );
  },

  'has the first process do what only one may, for all': async (group) => {
    let done = 0;
    const work = async () => ({ done: ++done });
    assert.deepEqual(await doneByFirst(group, work), { done: 1 });
    assert.equal(done, group.rank === 0 ? 1 : 0);
  },

  'lets nobody pass a barrier before all have come': async (group) => {
    const late = group.size - 1;
    const clock = Float64Array.of(0);
    if (group.rank === late) {
      await setTimeout(50);
      clock[0] = Date.now();
    }
    await group.barrier();
    const passed = Date.now();
    await group.broadcast(clock, late);
    assert.ok(passed >= clock[0]!);
  },

  'has several collectives under way, and timers and sockets go on meanwhile': async (group) => {
    const many = Array.from({ length: 8 }, (_, index) => new Float32Array(1000).fill(index + group.rank));
    const sums = () => Promise.all(many.map((values) => group.allReduce(values)));
    const late = group.rank === 0 ? await listenFor(group.size - 1) : null;
    const [port = 0] = await allGatherNumbers(group, late?.port ?? 0);
    if (late === null) await Promise.all([sums(), tickAndConnect(port)]);
    else {
      // It begins once all others have gone on while they waited for it.
      await late.all;
      await sums();
    }
    for (const [index, values] of many.entries())
      assert.equal(values[999], sum(ranksOf(group).map((rank) => index + rank)));
  },

  'refuses arrays that do not fit their parts': async (group) => {
    const lengths = ranksOf(group).map(() => 2);
    await assert.rejects(group.allGather(new Float32Array(2 * group.size + 1), lengths), /values for parts/);
    await assert.rejects(group.allGather(new Float32Array(2), [...lengths, 2]), /parts for/);
  },
};
