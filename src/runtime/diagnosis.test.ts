import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { diagnose } from './diagnosis.ts';

const failed = (message: string) => ({ kind: 'failed', message }) as const;

describe('diagnose', () => {
  it('has nothing to say about a device that computes right, and warns of one that does not', () => {
    expect(diagnose('webgpu', { end: { kind: 'computed', wrong: 0 }, log: '' })).toBeNull();
    const wrong = diagnose('webgpu', { end: { kind: 'computed', wrong: 7 }, log: '' });
    expect(wrong).toMatchObject({
      reason: '7 of its values are wrong',
      remedy: expect.stringContaining('driver'),
    });
  });

  it.each([
    ["Warning: Couldn't load Vulkan: libvulkan.so.1: cannot open shared object file", 'Vulkan loader'],
    ['Warning: vkCreateInstance: Found no drivers!', 'no graphics driver is found'],
    [
      'Warning: Vulkan shaderUniform*ArrayDynamicIndexing required.',
      'lacks shaderUniform*ArrayDynamicIndexing',
    ],
  ])('tells from the log why WebGPU finds no adapter: %s', (log, reason) => {
    const end = failed('Failed to get a WebGPU adapter: No supported adapters\n');
    expect(diagnose('webgpu', { end, log })?.reason).toContain(reason);
  });

  it("names the command that downloads ONNX Runtime's CUDA libraries, and it exists", () => {
    const end = failed('OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library');
    const log = 'error: /a/libonnxruntime_providers_shared.so: cannot open shared object file: No such file';
    const problem = diagnose('cuda', { end, log });
    expect(problem?.reason).toContain('not installed');
    const script = /node (\S+) --onnxruntime-node-install=cuda12/.exec(problem?.remedy ?? '')?.[1];
    expect(existsSync(script ?? '')).toBe(true);
  });

  it('names a CUDA library that is missing', () => {
    const log =
      'Failed to load library /a/libonnxruntime_providers_cuda.so with error: libcudnn.so.9: cannot open shared object file';
    const problem = diagnose('cuda', { end: failed('Failed to load shared library'), log });
    expect(problem).toMatchObject({
      reason: 'the library libcudnn.so.9 is not found',
      remedy: expect.stringContaining('LD_LIBRARY_PATH'),
    });
  });

  it('hands on a message that it does not know', () => {
    expect(diagnose('cuda', { end: failed('a strange thing\n'), log: '' })?.reason).toBe('a strange thing');
  });
});
