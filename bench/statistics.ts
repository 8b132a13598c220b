// What many measurements come to.

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);

/** The value below which such a part of them lies; 0 of none. */
export function quantile(values: readonly number[], part: number): number {
  return sorted(values)[Math.round(part * (values.length - 1))] ?? 0;
}

/** The one in the middle. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
