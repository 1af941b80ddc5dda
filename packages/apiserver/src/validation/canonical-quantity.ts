import { parseQuantityNanos } from '@ballast/kube';

const NANO = 1_000_000_000n;
const BINARY: readonly (readonly [string, bigint])[] = [
  ['Ei', 1n << 60n],
  ['Pi', 1n << 50n],
  ['Ti', 1n << 40n],
  ['Gi', 1n << 30n],
  ['Mi', 1n << 20n],
  ['Ki', 1n << 10n],
];
/** In billionths. */
const DECIMAL: readonly (readonly [string, string, bigint])[] = [
  ['E', 'e18', 10n ** 27n],
  ['P', 'e15', 10n ** 24n],
  ['T', 'e12', 10n ** 21n],
  ['G', 'e9', 10n ** 18n],
  ['M', 'e6', 10n ** 15n],
  ['k', 'e3', 10n ** 12n],
  ['', '', 10n ** 9n],
  ['m', 'e-3', 10n ** 6n],
  ['u', 'e-6', 10n ** 3n],
  ['n', 'e-9', 1n],
];

/**
 * The one way a quantity is written: no fraction, and the largest suffix of its own family (binary, decimal, or exponent) that allows
 * it. '0.5' becomes '500m', '1024Mi' becomes '1Gi'. Undefined when the text is no quantity.
 */
export function canonicalQuantity(text: string): string | undefined {
  // Nearly every quantity in practice is canonical already.
  if (/^[1-9][0-9]{0,2}(m|Mi|Gi|)$/.test(text)) return text;
  const nanos = parseQuantityNanos(text);
  if (nanos === undefined) return undefined;
  if (nanos === 0n) return '0';
  if (/i$/.test(text) && nanos % NANO === 0n && abs(nanos) >= 1024n * NANO) {
    const whole = nanos / NANO;
    for (const [suffix, unit] of BINARY) if (whole % unit === 0n) return `${whole / unit}${suffix}`;
    return String(whole);
  }
  const exponent = /[eE][+-]?[0-9]/.test(text);
  for (const [suffix, power, unit] of DECIMAL) {
    if (nanos % unit === 0n) return `${nanos / unit}${exponent ? power : suffix}`;
  }
  return undefined;
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
