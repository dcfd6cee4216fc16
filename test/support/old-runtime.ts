import { expect } from 'vitest';
import { decodeModel } from '../../src/graph/onnx-schema.ts';

/** What ONNX Runtime 1.17 loads, of early 2024. */
const [mostIr, mostOpset] = [9, 20];

/** An exported model asks for no version that ONNX Runtime 1.17 lacks, and for the operators of the ONNX standard alone. */
export function expectForOldRuntimes(bytes: Uint8Array): void {
  const { irVersion, opsetImport = [], graph } = decodeModel(bytes);
  expect(irVersion).toBeLessThanOrEqual(mostIr);
  expect(opsetImport.map(({ domain = '' }) => domain)).toEqual(['']);
  expect(opsetImport[0]?.version).toBeLessThanOrEqual(mostOpset);
  expect(new Set(graph.node.map(({ domain = '' }) => domain))).toEqual(new Set(['']));
}
