/** Where sessions may compute, by the names of ONNX Runtime. */

export const devices = ['cpu', 'webgpu', 'cuda'] as const;
export type Device = (typeof devices)[number];

/** `auto`: a GPU where there is one, else the CPU. */
export const deviceChoices = ['auto', ...devices] as const;
export type DeviceChoice = (typeof deviceChoices)[number];
