import { BallastError } from '@ballast/base';

/** Address families that the speaker carries (RFC 4760): AFI 1 or 2 with SAFI 1. */
export type Family = 'ipv4-unicast' | 'ipv6-unicast';

export const FAMILIES: readonly Family[] = ['ipv4-unicast', 'ipv6-unicast'];

const SAFI_UNICAST = 1;
const AFI: Readonly<Record<Family, number>> = { 'ipv4-unicast': 1, 'ipv6-unicast': 2 };

export interface AfiSafi {
  readonly afi: number;
  readonly safi: number;
}

export function afiSafiOf(family: Family): AfiSafi {
  return { afi: AFI[family], safi: SAFI_UNICAST };
}

/** The family with these numbers, or undefined for one that the speaker does not carry. */
export function familyOf({ afi, safi }: AfiSafi): Family | undefined {
  if (safi !== SAFI_UNICAST) return undefined;
  return FAMILIES.find((family) => AFI[family] === afi);
}

/** The family of an IP version. */
export function familyOfIp(ip: { readonly family: 4 | 6 }): Family {
  return ip.family === 4 ? 'ipv4-unicast' : 'ipv6-unicast';
}

/** The IP version of a family's prefixes. */
export function ipVersionOf(family: Family): 4 | 6 {
  return family === 'ipv4-unicast' ? 4 : 6;
}

/** Largest message of RFC 4271 section 4.1; RFC 8654 is not offered. */
export const MAX_MESSAGE_BYTES = 4096;
export const HEADER_BYTES = 19;

/** NOTIFICATION error codes of RFC 4271 section 4.5. */
export const NOTIFICATION_CODES = {
  'message-header': 1,
  'open-message': 2,
  'update-message': 3,
  'hold-timer-expired': 4,
  'finite-state-machine': 5,
  cease: 6,
  'route-refresh': 7,
} as const;

export type NotificationName = keyof typeof NOTIFICATION_CODES;

/** Subcodes of Cease (RFC 4486, RFC 8538). */
export const CEASE = {
  administrativeShutdown: 2,
  peerDeconfigured: 3,
  administrativeReset: 4,
  connectionRejected: 5,
  otherConfigurationChange: 6,
  collisionResolution: 7,
} as const;

/** A fault that ends the session with a NOTIFICATION of these codes. */
export class BgpError extends BallastError<NotificationName> {
  readonly subcode: number;
  readonly data: Uint8Array;

  constructor(code: NotificationName, subcode: number, message: string, data: Uint8Array = new Uint8Array()) {
    super(code, message);
    this.name = 'BgpError';
    this.subcode = subcode;
    this.data = data;
  }
}

const SUBCODE_NAMES: Readonly<Record<number, readonly string[]>> = {
  1: ['', 'Connection Not Synchronized', 'Bad Message Length', 'Bad Message Type'],
  2: [
    '',
    'Unsupported Version Number',
    'Bad Peer AS',
    'Bad BGP Identifier',
    'Unsupported Optional Parameter',
    '',
    'Unacceptable Hold Time',
    'Unsupported Capability',
  ],
  3: [
    '',
    'Malformed Attribute List',
    'Unrecognized Well-known Attribute',
    'Missing Well-known Attribute',
    'Attribute Flags Error',
    'Attribute Length Error',
    'Invalid ORIGIN Attribute',
    '',
    'Invalid NEXT_HOP Attribute',
    'Optional Attribute Error',
    'Invalid Network Field',
    'Malformed AS_PATH',
  ],
  5: ['', 'Unexpected Message in OpenSent', 'Unexpected Message in OpenConfirm', 'Unexpected Message in Established'],
  6: [
    '',
    'Maximum Number of Prefixes Reached',
    'Administrative Shutdown',
    'Peer De-configured',
    'Administrative Reset',
    'Connection Rejected',
    'Other Configuration Change',
    'Connection Collision Resolution',
    'Out of Resources',
    'Hard Reset',
    'BFD Down',
  ],
};
const CODE_NAMES = [
  '',
  'Message Header Error',
  'OPEN Message Error',
  'UPDATE Message Error',
  'Hold Timer Expired',
  'Finite State Machine Error',
  'Cease',
  'ROUTE-REFRESH Message Error',
];

/** 'Cease/Administrative Shutdown', for logs and status. */
export function formatNotification(code: number, subcode: number): string {
  const subcodeName = SUBCODE_NAMES[code]?.[subcode];
  return `${CODE_NAMES[code] || `code ${code}`}${subcodeName ? `/${subcodeName}` : subcode === 0 ? '' : `/subcode ${subcode}`}`;
}
