/**
 * Writing DER (ITU-T X.690): what X.509 certificates are made of. Only composing; Node parses certificates itself. Every function returns a
 * whole element: tag, length, contents.
 */

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** An element with any tag. Lengths follow X.690 8.1.3: short form below 128, else long form in the fewest bytes. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length: number[] = [];
  for (let rest = body.length; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest % 256);
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length, ...length]), body]);
}

export function sequence(...items: readonly Uint8Array[]): Buffer {
  return element(TAG.sequence, ...items);
}

/** A SET OF: members sorted by their bytes (X.690 11.6). */
export function setOf(...items: readonly Uint8Array[]): Buffer {
  return element(TAG.set, ...[...items].sort(Buffer.compare));
}

export function boolean(value: boolean): Buffer {
  return element(TAG.boolean, Buffer.from([value ? 0xff : 0]));
}

/** A non-negative integer from its big-endian bytes; leading zeros go, a zero byte keeps the sign positive (X.690 8.3). */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const magnitude = bytes.length === 0 ? Buffer.from([0]) : bytes.subarray(start);
  return element(TAG.integer, Buffer.from((magnitude[0] ?? 0) & 0x80 ? [0] : []), magnitude);
}

export function smallInteger(value: number): Buffer {
  return integer(
    Buffer.from(
      value
        .toString(16)
        .padStart(2, '0')
        .replace(/^(?=(..)*.$)/, '0'),
      'hex',
    ),
  );
}

/** A bit string; `unusedBits` of the last byte do not count. */
export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return element(TAG.bitString, Buffer.from([unusedBits]), bytes);
}

export function octetString(...contents: readonly Uint8Array[]): Buffer {
  return element(TAG.octetString, ...contents);
}

export function utf8String(text: string): Buffer {
  return element(TAG.utf8String, Buffer.from(text, 'utf8'));
}

/** An object identifier in dotted form: the first two arcs share a byte, the others are base 128, high bit on all but the last byte. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const septets = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      septets.unshift(0x80 | (left % 128));
    bytes.push(...septets);
  }
  return element(TAG.oid, Buffer.from(bytes));
}

/** RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on; always seconds and Z. */
export function time(ms: number): Buffer {
  const date = new Date(ms);
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(0, 14);
  return date.getUTCFullYear() < 2050
    ? element(TAG.utcTime, Buffer.from(`${digits.slice(2)}Z`))
    : element(TAG.generalizedTime, Buffer.from(`${digits}Z`));
}

/** A context-specific tag, [number]; `constructed` when it wraps whole elements. */
export function tagged(number: number, constructed: boolean, ...contents: readonly Uint8Array[]): Buffer {
  return element(0x80 | (constructed ? 0x20 : 0) | number, ...contents);
}

/** DER as PEM text (RFC 7468), 64 characters a line. */
export function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
