/** A standard community (RFC 1997): two 16-bit halves in one number. */
export type Community = number;

/** A large community (RFC 8092). */
export interface LargeCommunity {
  readonly globalAdministrator: number;
  readonly localData1: number;
  readonly localData2: number;
}

/** RFC 1997 and RFC 8326. */
export const WELL_KNOWN_COMMUNITIES = {
  'graceful-shutdown': 0xffff_0000,
  'no-export': 0xffff_ff01,
  'no-advertise': 0xffff_ff02,
  'no-export-subconfed': 0xffff_ff03,
} as const;

/** 'a:b' of 16 bits each. Undefined when it is not one. */
export function parseCommunity(text: string): Community | undefined {
  const halves = text.split(':').map((part) => parseField(part, 0xffff));
  const [high, low] = halves;
  if (halves.length !== 2 || high === undefined || low === undefined) return undefined;
  return high * 0x1_0000 + low;
}

export function formatCommunity(community: Community): string {
  return `${Math.floor(community / 0x1_0000)}:${community % 0x1_0000}`;
}

/** 'a:b:c' of 32 bits each. Undefined when it is not one. */
export function parseLargeCommunity(text: string): LargeCommunity | undefined {
  const parts = text.split(':').map((part) => parseField(part, 0xffff_ffff));
  const [globalAdministrator, localData1, localData2] = parts;
  if (parts.length !== 3 || globalAdministrator === undefined || localData1 === undefined || localData2 === undefined)
    return undefined;
  return { globalAdministrator, localData1, localData2 };
}

export function formatLargeCommunity(community: LargeCommunity): string {
  return `${community.globalAdministrator}:${community.localData1}:${community.localData2}`;
}

function parseField(text: string, max: number): number | undefined {
  if (!/^[0-9]{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}
