/** Weights of red, green and blue in how bright a colour looks, which sum to 1: luma of ITU-R BT.601. */
export const luma = [0.299, 0.587, 0.114] as const;
