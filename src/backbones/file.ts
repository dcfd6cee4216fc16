/** An ONNX file of others, with the weights that lie in files beside it. */

import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, realpath, stat } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { learnedUntilIn } from '../data/embeddings/learned-until.ts';
import { hasSystemCode, messageOf } from '../errors.ts';
import {
  type AttributeProto,
  decodeModel,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from '../graph/onnx-schema.ts';
import { pathBelow, withInput } from '../storage/files.ts';
import { BackboneFault, exportAgain, refusing } from './errors.ts';

/** What a protobuf file may have, and so a file with everything in it. */
const mostBytes = 2 ** 31 - 2 ** 20;

export interface BackboneFile {
  readonly path: string;
  /** Holds all of its weights. */
  readonly model: ModelProto;
  /** SHA-256 of the file and of all that it takes from others. */
  readonly hash: string;
  /** Up to when it has seen clicks, as `learnedUntilIn` gives it: of files that were made here. */
  readonly learnedUntil: number | null;
}

/**
 * Reads a model and the weights that it names, which may only lie below its own folder.
 * @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE; FILE_CORRUPT for a file that is no model, or names weights that
 * are not there; LIMIT_EXCEEDED over 2 GiB
 */
export async function readBackboneFile(path: string): Promise<BackboneFile> {
  return refusing(path, async () => {
    const bytes = await withInput(path, 'Backbone', readWhole);
    const hash = createHash('sha256').update(bytes);
    const weights = new ExternalWeights(dirname(path), mostBytes - bytes.length, hash);
    const model = await withWeights(decoded(bytes), weights);
    const texts = new Map(model.metadataProps.map(({ key, value }) => [key, value]));
    return { path, model, hash: hash.digest('hex'), learnedUntil: learnedUntilIn(texts) };
  });
}

async function readWhole(file: FileHandle): Promise<Uint8Array> {
  const about = await file.stat();
  if (!about.isFile()) throw new BackboneFault('it is no file.', 'Give the path of a .onnx file.');
  if (about.size > mostBytes) throw tooLarge();
  return file.readFile();
}

function decoded(bytes: Uint8Array): ModelProto {
  try {
    return decodeModel(bytes);
  } catch (error) {
    throw new BackboneFault(`it is no ONNX file (${messageOf(error)}).`, exportAgain);
  }
}

function tooLarge(): BackboneFault {
  const remedy = 'Take a smaller model, or export this one in float16 or quantised.';
  return new BackboneFault('with its weights it has more than 2 GiB.', remedy, 'LIMIT_EXCEEDED');
}

/** Parts of files below a folder, each read when a tensor asks for it. */
class ExternalWeights {
  readonly #folder: string;
  readonly #hash: Hash;
  #bytesLeft: number;

  constructor(folder: string, bytesLeft: number, hash: Hash) {
    this.#folder = folder;
    this.#bytesLeft = bytesLeft;
    this.#hash = hash;
  }

  async read({ name, externalData = [] }: TensorProto): Promise<Uint8Array> {
    const entries = new Map(externalData.map(({ key, value }) => [key, value]));
    const location = entries.get('location') ?? '';
    const path = await this.#locate(name, location);
    const bytes = await withInput(path, `Weights of the backbone, ${location},`, async (file) => {
      const { size } = await file.stat();
      const offset = wholeNumber(entries.get('offset') ?? '0', name);
      const length = wholeNumber(entries.get('length') ?? String(Math.max(0, size - offset)), name);
      if (offset + length > size) {
        const problem = `the weights ${name} are bytes ${offset} to ${offset + length} of ${location}, which has ${size}.`;
        throw new BackboneFault(problem, 'Copy both files again.');
      }
      this.#bytesLeft -= length;
      if (this.#bytesLeft < 0) throw tooLarge();
      return readPart(file, offset, length);
    });
    this.#hash.update(bytes);
    return bytes;
  }

  /** A file below the model's folder, links followed. */
  async #locate(name: string, location: string): Promise<string> {
    const below = pathBelow(this.#folder, location);
    const [real, root] = await Promise.all([below && realpath(below), realpath(this.#folder)]).catch(
      (error: unknown) => {
        if (!hasSystemCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) throw error;
        const problem = `its weights ${JSON.stringify(location)} are not there, or cannot be read.`;
        throw new BackboneFault(problem, 'Copy them beside it, under the name that they were exported with.');
      },
    );
    if (real && pathBelow(root, relative(root, real)) === real && (await stat(real)).isFile()) return real;
    const problem = `its weights ${name} are in ${JSON.stringify(location)}, which is no file below its own folder.`;
    throw new BackboneFault(problem, 'Copy the model and its weights, not links to them, into one folder.');
  }
}

async function readPart(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw new BackboneFault('its weights ended while they were read.', exportAgain);
    done += bytesRead;
  }
  return bytes;
}

function wholeNumber(text: string, name: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new BackboneFault(`the weights ${name} are at ${JSON.stringify(text)}, no number.`, exportAgain);
}

async function withWeights(model: ModelProto, weights: ExternalWeights): Promise<ModelProto> {
  const functions = [];
  for (const each of model.functions ?? [])
    functions.push({ ...each, node: await nodesWithWeights(each.node, weights) });
  return { ...model, functions, graph: await graphWithWeights(model.graph, weights) };
}

async function graphWithWeights(graph: GraphProto, weights: ExternalWeights): Promise<GraphProto> {
  if ((graph.sparseInitializer ?? []).length > 0) throw sparse();
  const initializer = await inOrder(graph.initializer, (tensor) => inlined(tensor, weights));
  return { ...graph, initializer, node: await nodesWithWeights(graph.node, weights) };
}

function nodesWithWeights(nodes: readonly NodeProto[], weights: ExternalWeights) {
  return inOrder(nodes, async (node) => ({
    ...node,
    attribute: await inOrder(node.attribute ?? [], (each) => attributeWithWeights(each, weights)),
  }));
}

async function attributeWithWeights(
  attribute: AttributeProto,
  weights: ExternalWeights,
): Promise<AttributeProto> {
  const { t, g, tensors = [], graphs = [], sparseTensor, sparseTensors = [] } = attribute;
  if (sparseTensor !== undefined || sparseTensors.length > 0) throw sparse();
  return {
    ...attribute,
    ...(t !== undefined && { t: await inlined(t, weights) }),
    ...(g !== undefined && { g: await graphWithWeights(g, weights) }),
    tensors: await inOrder(tensors, (each) => inlined(each, weights)),
    graphs: await inOrder(graphs, (each) => graphWithWeights(each, weights)),
  };
}

function sparse(): BackboneFault {
  return new BackboneFault('it has sparse tensors.', 'Export the model with dense weights.');
}

const externalLocation = 1;

async function inlined(tensor: TensorProto, weights: ExternalWeights): Promise<TensorProto> {
  if (tensor.dataLocation !== externalLocation) return tensor;
  return { ...tensor, rawData: await weights.read(tensor), externalData: [], dataLocation: 0 };
}

/** One after the other: what is read is hashed in this order. */
async function inOrder<T, R>(values: readonly T[], map: (value: T) => Promise<R>): Promise<readonly R[]> {
  const mapped: R[] = [];
  for (const value of values) mapped.push(await map(value));
  return mapped;
}
