export * from './elementwise.ts';
export * from './indexing.ts';
export * from './matrix.ts';
export * from './normalization.ts';
export * from './reduce.ts';
export * from './sampling.ts';
export * from './shape.ts';
export * from './sum-to.ts';
