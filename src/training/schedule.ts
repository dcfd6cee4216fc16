/**
 * The learning rate at step t = 1 … steps: it rises in a line over the warm-up, then falls along half a
 * cosine to zero (Loshchilov and Hutter, 2017, without restarts).
 */
export function learningRateAt(step: number, steps: number, peak: number, warmup: number): number {
  const rising = Math.max(1, Math.round(steps * warmup));
  if (step <= rising) return (peak * step) / rising;
  return (peak * (1 + Math.cos((Math.PI * (step - rising)) / (steps - rising + 1)))) / 2;
}
