import { afterEach, describe, expect, it } from 'vitest';
import { chooseBinding } from './binding.ts';
import { Engine } from './engine.ts';

describe('the binding', () => {
  const before = process.env['COURIER_BINDING'];
  afterEach(() => {
    if (before === undefined) delete process.env['COURIER_BINDING'];
    else process.env['COURIER_BINDING'] = before;
  });

  it('is the C interface on the CPU, which the package of ONNX Runtime has with it, and not on devices', () => {
    delete process.env['COURIER_BINDING'];
    expect(chooseBinding('cpu').binding).toBe('c-api');
    expect(chooseBinding('webgpu').binding).toBe('node');
  });

  it.each(['c-api', 'node'] as const)('is the one that the environment names: %s', async (binding) => {
    process.env['COURIER_BINDING'] = binding;
    expect(chooseBinding('cpu').binding).toBe(binding);
    const engine = Engine.start({ threads: 1 });
    expect(engine.binding).toBe(binding);
    await engine.close();
  });

  it('is refused where the environment names none that there is', () => {
    process.env['COURIER_BINDING'] = 'wasm';
    expect(() => chooseBinding('cpu')).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: 'Invalid COURIER_BINDING: wasm.',
        remedy: expect.stringContaining('c-api or node'),
      }),
    );
  });
});
