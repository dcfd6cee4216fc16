import { describe, expect, it } from 'vitest';
import { hasMpi } from '../../../test/support/mpi.ts';
import { courier } from '../../../test/support/terminal.ts';
import type { DeviceReport } from '../../runtime/devices.ts';
import type { Machine } from '../../runtime/machine.ts';
import { describeFindings, isHealthy } from './doctor.ts';

const gibibyte = 2 ** 30;

const machine: Machine = {
  courier: '1.2.3',
  node: { version: '22.1.0', oldest: '20.19', newEnough: true },
  system: 'linux x64',
  processor: { model: 'Abacus\u001b[2J', cores: 1, vectors: null },
  memory: { total: 32 * gibibyte, usable: 8 * gibibyte, free: 4 * gibibyte },
  disk: { folder: '/work', free: gibibyte / 2 },
  libraries: { sharp: '0.1', DuckDB: '0.2' },
  binding: { binding: 'node', reason: 'no C interface' },
  mpi: { found: false, reason: 'no library' },
};
const cpu: DeviceReport = { device: 'cpu', usable: true, accelerated: false, detail: '1 thread' };
const noCuda: DeviceReport = { device: 'cuda', usable: false, reason: 'no GPU', remedy: 'Buy one.' };

describe('courier doctor', () => {
  it('looks at this machine and ends with 0, since it runs here', async () => {
    const ran = await courier('doctor');
    expect(ran.exitCode).toBe(0);
    for (const name of ['Node.js', 'processor', 'memory', 'disk', 'libraries', 'binding', 'cpu']) {
      expect(ran.stdout).toMatch(new RegExp(`^ok {2}${name} `, 'm'));
    }
    expect(ran.stdout).toContain('ONNX Runtime');
    expect(ran.stdout).toMatch(/^(ok|–) +webgpu /m);
    expect(ran.stdout).toMatch(/^(ok|–) +MPI /m);
  });

  it('ends standard output with the same as JSON', async () => {
    const ran = await courier('doctor', '--json');
    expect(ran.stdout.trimEnd()).not.toContain('\n');
    expect(ran.json).toMatchObject({
      ok: true,
      machine: { node: { version: process.versions.node }, memory: { usable: expect.any(Number) } },
      devices: [{ device: 'cpu', usable: true }, { device: 'webgpu' }, { device: 'cuda' }],
    });
    expect(['cpu', 'webgpu', 'cuda']).toContain(ran.json['automatic']);
  });

  it.skipIf(!hasMpi)(`names the MPI that it finds (needs one)`, async () => {
    const ran = await courier('doctor', '--json');
    expect(ran.json).toMatchObject({
      machine: { mpi: { found: true, version: expect.stringContaining('MPI') } },
    });
  });
});

describe('describeFindings', () => {
  it('aligns what was found, with a mark on each line and below it what to do', () => {
    expect(describeFindings(machine, [cpu, noCuda])).toBe(
      [
        'courier 1.2.3',
        '',
        'ok  Node.js    22.1.0 (20.19 or newer is needed)',
        'ok  system     linux x64',
        'ok  processor  Abacus [2J, 1 core',
        'ok  memory     32.0 GiB, limited to 8.0 GiB here, 4.0 GiB free',
        '–   disk       512.0 MiB free in /work',
        '               → Make room, or work on another disk.',
        'ok  libraries  sharp 0.1, DuckDB 0.2',
        'ok  binding    node: no C interface',
        '–   MPI        for one process only: no library',
        '               → For several processes or machines: install MPICH (Debian: mpich) or Open MPI.',
        'ok  cpu        1 thread',
        '–   cuda       not usable: no GPU',
        '               → Buy one.',
        '',
        'The device "auto" is cpu here.',
      ].join('\n'),
    );
  });
});

describe('isHealthy', () => {
  it('asks for a new enough Node.js and the CPU, not for GPUs or room', () => {
    expect(isHealthy(machine, [cpu, noCuda])).toBe(true);
    expect(isHealthy({ ...machine, node: { ...machine.node, newEnough: false } }, [cpu])).toBe(false);
    expect(isHealthy(machine, [{ ...noCuda, device: 'cpu' }])).toBe(false);
  });
});
