/** sharp, loaded when it is needed: that takes a tenth of a second of each thread, and plain JPEG files do without it. */
async function load() {
  const { default: sharp } = await import('sharp');
  // No two photos share an operation, so that remembering the last ones only costs time.
  sharp.cache(false);
  // As many photos are decoded at a time as there are cores: threads within one only get in each other's way.
  sharp.concurrency(1);
  return sharp;
}

let loading: ReturnType<typeof load> | null = null;

export function loadSharp(): ReturnType<typeof load> {
  loading ??= load();
  return loading;
}
