/** The model that a device is tried with. It is written out here, since graphs are made above the runtime. */

/** Rows and columns of its matrices. */
export const side = 64;

/**
 * ONNX: the product `y` of two matrices `a` and `b`, float32 (side, side). A plain MatMul: every device has it, whereas
 * FusedMatMul is left to the CPU by some.
 */
export const productModel: Uint8Array = Buffer.from(
  'CAgSC2NvdXJpZXItcmVjOlsKEQoBYQoBYhIBeSIGTWF0TXVsEgdjb3VyaWVyWhMKAWESDgoMCAESCAoCCEAKAghAWhMKAWISDgoMCAESCAoC' +
    'CEAKAghAYhMKAXkSDgoMCAESCAoCCEAKAghAQgIQEg==',
  'base64',
);
