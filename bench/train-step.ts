/** A whole training step, photos in memory to new parameters, against PyTorch. */
import { availableParallelism } from 'node:os';
import type { PresetName } from '../src/encoders/presets.ts';
import { usableMemory } from '../src/runtime/memory.ts';
import type { Benchmark } from './benchmark.ts';
import { startStep } from './our-step.ts';
import { Peer } from './peer.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const cases: readonly { encoder: PresetName; side: number; photos: number; samples: number }[] = [
  { encoder: 'vit-nano', side: 64, photos: 1024, samples: 128 },
  { encoder: 'vit-nano', side: 64, photos: 256, samples: 32 },
  { encoder: 'swin-nano', side: 64, photos: 1024, samples: 128 },
  { encoder: 'swin-nano', side: 64, photos: 256, samples: 32 },
  { encoder: 'swin-tiny', side: 224, photos: 32, samples: 4 },
];

const peers = [
  { name: 'pytorch-eager', compiled: false },
  { name: 'pytorch-compile', compiled: true },
];

/** Rounds that are not counted: memory is taken, graphs are compiled. */
const warmUp = 2;

export const trainStep: Benchmark = async ({ rounds, only, say }) => {
  const rows: Row[] = [];
  const missing = new Set<string>();
  const threads = availableParallelism();
  for (const each of cases) {
    const name = `${each.encoder} ${each.side} px, ${each.photos} photos`;
    if (!name.includes(only)) continue;
    say(name);
    const ours = await startStep({ ...each, threads }, usableMemory() / 2);
    const others: { name: string; peer: Peer; seconds: number[] }[] = [];
    for (const { name: peerName, compiled } of peers) {
      const peer = await Peer.start('pytorch', 'train_step.py', { ...each, threads, compiled });
      if (peer === null) missing.add(peerName);
      else others.push({ name: peerName, peer, seconds: [] });
    }
    const seconds: number[] = [];
    for (let round = -warmUp; round < rounds; round++) {
      const own = await ours.round();
      if (round >= 0) seconds.push(own);
      for (const other of others) {
        const taken = await other.peer.round();
        if (round >= 0) other.seconds.push(taken);
      }
    }
    const rate = (values: readonly number[]) => values.map((value) => each.photos / value);
    rows.push(
      rowOf(
        name,
        'photos/s',
        'higher',
        rate(seconds),
        Object.fromEntries(others.map((other) => [other.name, rate(other.seconds)])),
      ),
    );
    say(describeRow(rows.at(-1)!));
    for (const { peer } of others) peer.stop();
    await ours.stop();
  }
  return { rows, missing: [...missing] };
};
