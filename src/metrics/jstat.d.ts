/** As much of jstat as is used here; it comes without types. */
declare module 'jstat' {
  const jstat: {
    readonly studentt: {
      /** The value that a share `p` of the distribution lies below. */
      inv(p: number, degreesOfFreedom: number): number;
      /** The share of the distribution that lies below a value. */
      cdf(value: number, degreesOfFreedom: number): number;
    };
  };
  export default jstat;
}
