import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { describeMachine, isAtLeast, vectorInstructions } from './machine.ts';

describe('describeMachine', () => {
  it('finds amounts that can be, and the versions of what is loaded', async () => {
    const machine = await describeMachine(tmpdir());
    expect(machine.node).toMatchObject({ version: process.versions.node, newEnough: true });
    expect(machine.processor.cores).toBeGreaterThan(0);
    const { total, usable, free } = machine.memory;
    expect(free).toBeGreaterThan(0);
    expect(usable).toBeGreaterThanOrEqual(free);
    expect(total).toBeGreaterThanOrEqual(usable);
    expect(machine.disk).toMatchObject({ folder: tmpdir(), free: expect.any(Number) });
    for (const version of Object.values(machine.libraries)) expect(version).toMatch(/^\d+\.\d+/);
  });
});

describe('isAtLeast', () => {
  it.each([
    ['20.19.0', true],
    ['20.20.2', true],
    ['22.0.0', true],
    ['20.9.5', false],
    ['18.20.0', false],
  ])('compares %s with 20.19 as numbers, not as text', (version, expected) => {
    expect(isAtLeast(version, '20.19')).toBe(expected);
  });
});

describe('vectorInstructions', () => {
  it.each([
    ['processor\t: 0\nflags\t\t: fpu sse2 avx avx2 avx512f avx512vl\n', 'AVX-512'],
    ['flags\t\t: fpu sse2 avx avx2\n', 'AVX2'],
    ['flags\t\t: fpu sse2 avx\n', 'no AVX2'],
    ['Features\t: fp asimd\n', null],
    ['', null],
  ])('reads the widest from %j', (cpuinfo, expected) => {
    expect(vectorInstructions(cpuinfo)).toBe(expected);
  });
});
