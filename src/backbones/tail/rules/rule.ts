/** How a node is computed with our own tensors. */
import type { Call } from '../call.ts';
import type { TensorValue } from '../value.ts';

/** @returns a value for each output, the optional ones at the end aside */
export type Rule = (call: Call) => readonly TensorValue[];

export type Rules = Readonly<Record<string, Rule>>;
