import { mkdir, open, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelFile, node, value } from '../../test/support/onnx-graphs.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { readBackboneFile } from './file.ts';

const bytes = Uint8Array.from({ length: 32 }, (_, at) => at);

/** A model in a folder of its own, with weights where `entries` say. */
async function write(entries: Readonly<Record<string, string>>, more: object = {}) {
  const root = await temporaryFolder();
  const folder = join(root, 'model');
  await mkdir(join(folder, 'weights'), { recursive: true });
  await writeFile(join(folder, 'weights', 'part.bin'), bytes);
  await writeFile(join(root, 'outside.bin'), bytes);
  const externalData = Object.entries(entries).map(([key, text]) => ({ key, value: text }));
  const tensor = { name: 'w', dims: [2], dataType: 1, externalData, dataLocation: 1 };
  const graph = {
    input: [value('x', [2])],
    node: [node('Add', ['x', 'w'], ['y'])],
    initializer: [tensor],
    output: [value('y', [2])],
    ...more,
  };
  const path = join(folder, 'model.onnx');
  await writeFile(path, modelFile(graph));
  return { root, folder, path };
}

const inPart = { location: 'weights/part.bin', offset: '8', length: '8' };

describe('weights in files beside a model', () => {
  it('are taken from their place, and are part of what its hash stands for', async () => {
    const { path, folder } = await write(inPart);
    const { model, hash } = await readBackboneFile(path);
    expect(model.graph.initializer[0]).toMatchObject({
      rawData: Buffer.from(bytes.subarray(8, 16)),
      externalData: [],
      dataLocation: 0,
    });
    expect((await readBackboneFile(path)).hash).toBe(hash);
    await writeFile(join(folder, 'weights', 'part.bin'), bytes.toReversed());
    expect((await readBackboneFile(path)).hash).not.toBe(hash);
  });

  it('reach to the end where no length is given, and are found inside nodes too', async () => {
    const { path } = await write({ location: './weights/part.bin', offset: '30' });
    const { model } = await readBackboneFile(path);
    expect(model.graph.initializer[0]?.rawData).toEqual(Buffer.from([30, 31]));
    const t = {
      name: 't',
      dims: [2],
      dataType: 1,
      dataLocation: 1,
      externalData: [{ key: 'location', value: 'weights/part.bin' }],
    };
    const constant = { ...node('Constant', [], ['w']), attribute: [{ name: 'value', type: 4, t }] };
    const inside = await write(inPart, { node: [constant], initializer: [] });
    const [read] = (await readBackboneFile(inside.path)).model.graph.node;
    expect(read?.attribute?.[0]?.t?.rawData).toEqual(Buffer.from(bytes));
  });

  const outside = ['../outside.bin', 'weights/../../outside.bin', '/etc/passwd', '', '.', 'weights', 'a\0b'];
  it.each(outside)('are not looked for outside its folder, nor in what is no file: %j', async (location) => {
    const { path } = await write({ location });
    const message = expect.stringContaining('which is no file below its own folder');
    await expect(readBackboneFile(path)).rejects.toMatchObject({ code: 'FILE_CORRUPT', message });
  });

  it('are not reached through links that lead out of its folder, but through those that stay', async () => {
    const { path, root, folder } = await write({ location: 'link.bin' });
    await symlink(join(root, 'outside.bin'), join(folder, 'link.bin'));
    await expect(readBackboneFile(path)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
    const inside = await write({ location: 'link.bin' });
    await symlink(join(inside.folder, 'weights', 'part.bin'), join(inside.folder, 'link.bin'));
    await expect(readBackboneFile(inside.path)).resolves.toBeDefined();
  });

  it.each([
    [{ ...inPart, location: 'gone.bin' }, 'its weights "gone.bin" are not there'],
    [{ ...inPart, offset: '28' }, 'are bytes 28 to 36 of weights/part.bin, which has 32'],
    [{ ...inPart, length: '-1' }, 'are at "-1", no number'],
    [{ ...inPart, offset: '1e3' }, 'are at "1e3", no number'],
  ])('that are not where %j says are refused', async (entries, problem) => {
    const { path } = await write(entries);
    const message = expect.stringContaining(problem);
    await expect(readBackboneFile(path)).rejects.toMatchObject({ code: 'FILE_CORRUPT', message });
  });

  it('of more than 2 GiB are refused before they are read', async () => {
    const { path, folder } = await write({ location: 'large.bin' });
    const large = await open(join(folder, 'large.bin'), 'w');
    await large.truncate(2 ** 31 + 1).finally(() => large.close());
    const message = expect.stringContaining('more than 2 GiB');
    await expect(readBackboneFile(path)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', message });
  });
});

/** A message as a field of another, as protobuf writes it. */
function within(field: number, message: Buffer): Buffer<ArrayBuffer> {
  const length: number[] = [];
  for (let rest = message.length; rest > 0 || length.length === 0; rest = Math.floor(rest / 128))
    length.push((rest % 128) + (rest >= 128 ? 128 : 0));
  return Buffer.concat([Buffer.from([8 * field + 2, ...length]), message]);
}

describe('a file that cannot be understood', () => {
  it.each([
    ['', 'it holds no ONNX graph'],
    ['<html>', 'it is no ONNX file'],
  ])('is refused: %j', async (text, problem) => {
    const path = join(await temporaryFolder(), 'model.onnx');
    await writeFile(path, text);
    const message = expect.stringContaining(problem);
    await expect(readBackboneFile(path)).rejects.toMatchObject({ code: 'FILE_CORRUPT', message });
  });

  it('is refused, as are a folder, and what is not there', async () => {
    const folder = await temporaryFolder();
    await expect(readBackboneFile(folder)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
    await expect(readBackboneFile(join(folder, 'gone'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  it('is refused where it nests graphs in graphs without end', async () => {
    let graph = Buffer.alloc(0);
    // GraphProto.node, NodeProto.attribute, AttributeProto.g, inside out.
    for (let depth = 0; depth < 5000; depth++) graph = within(1, within(5, within(6, graph)));
    const path = join(await temporaryFolder(), 'model.onnx');
    await writeFile(path, within(7, graph));
    await expect(readBackboneFile(path)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  });

  it('is refused where it has sparse tensors', async () => {
    const sparse = { values: { name: 'w', dims: [1], dataType: 1, floatData: [1] }, dims: [2] };
    const { path } = await write(inPart, { sparseInitializer: [sparse] });
    await expect(readBackboneFile(path)).rejects.toThrow('it has sparse tensors');
  });
});
