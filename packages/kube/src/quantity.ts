/** Suffixes of resource quantities and the power that each stands for (apimachinery resource.Quantity). */
const SUFFIXES: Readonly<Record<string, readonly [base: bigint, exponent: number]>> = {
  n: [10n, -9],
  u: [10n, -6],
  m: [10n, -3],
  '': [10n, 0],
  k: [10n, 3],
  M: [10n, 6],
  G: [10n, 9],
  T: [10n, 12],
  P: [10n, 15],
  E: [10n, 18],
  Ki: [2n, 10],
  Mi: [2n, 20],
  Gi: [2n, 30],
  Ti: [2n, 40],
  Pi: [2n, 50],
  Ei: [2n, 60],
};

const NANO = 1_000_000_000n;

/** A resource quantity in billionths, exact; amounts finer than that are rounded up, as upstream does. Undefined when the text is none. */
export function parseQuantityNanos(text: string | number): bigint | undefined {
  const match = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?[0-9]{1,3}))?$/.exec(String(text));
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', suffix = '', exponentText] = match;
  if (whole === '' && fraction === '') return undefined;
  const [base, exponent] = exponentText === undefined ? (SUFFIXES[suffix] ?? [10n, 0]) : [10n, Number(exponentText)];
  let numerator = BigInt(`${whole}${fraction}`) * NANO;
  let denominator = 10n ** BigInt(fraction.length);
  if (exponent >= 0) numerator *= base ** BigInt(exponent);
  else denominator *= base ** BigInt(-exponent);
  const rounded = (numerator + denominator - 1n) / denominator;
  return sign === '-' ? -rounded : rounded;
}

/** A quantity as a number of its unit (cores, bytes); 0 for what is absent or malformed (the API server has refused those). */
export function parseQuantity(text: string | number | undefined): number {
  if (text === undefined) return 0;
  const nanos = parseQuantityNanos(text);
  if (nanos === undefined) return 0;
  return Number(nanos / NANO) + Number(nanos % NANO) / 1e9;
}

/** A quantity of CPU in thousandths of a core, rounded up. */
export function parseMilliCpu(text: string | number | undefined): number {
  const nanos = text === undefined ? undefined : parseQuantityNanos(text);
  return nanos === undefined ? 0 : Number((nanos + 999_999n) / 1_000_000n);
}
