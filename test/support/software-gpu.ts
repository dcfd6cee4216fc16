/** A GPU that is a program on the CPU, as Debian's chromium brings it, for tests without a GPU. */
import { existsSync } from 'node:fs';

const folder = '/usr/lib/chromium';
const driver = `${folder}/vk_swiftshader_icd.json`;

/** Where nothing may be skipped, its absence is a failure. */
export const hasSoftwareGpu = existsSync(driver) || process.env['COURIER_SKIP_NOTHING'] === '1';

/** Says in a suite's name why it is skipped. */
export const softwareGpu = `on a software GPU (needs ${driver})`;

/** For a process that is to see that GPU and no other. */
export const softwareGpuEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  VK_ICD_FILENAMES: driver,
  LD_LIBRARY_PATH: folder,
};

/** For a process that is to find the Vulkan loader, but no GPU. */
export const noGpuEnvironment: NodeJS.ProcessEnv = {
  ...softwareGpuEnvironment,
  VK_ICD_FILENAMES: `${folder}/no-such-driver.json`,
};
