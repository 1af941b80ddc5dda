const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** The one way a time is written: UTC, in whole seconds ('time') or with six decimals ('microTime'). Undefined when it is no RFC 3339 time. */
export function canonicalTime(text: string, type: 'time' | 'microTime'): string | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const ms = Date.parse(text.toUpperCase());
  if (Number.isNaN(ms)) return undefined;
  const seconds = new Date(ms).toISOString().slice(0, 19);
  if (type === 'time') return `${seconds}Z`;
  const fraction = (match[1] ?? '.').slice(1, 7).padEnd(6, '0');
  return `${seconds}.${fraction}Z`;
}
