import { ByteReader, type ByteWriter } from '@ballast/base';
import { type AfiSafi, afiSafiOf, BgpError, type Family, familyOf } from './family.ts';

/** One family of the graceful restart capability (RFC 4724 section 3). */
export interface RestartFamily extends AfiSafi {
  /** The F bit: forwarding went on during the restart. */
  readonly forwardingPreserved: boolean;
}

/** Capabilities of an OPEN (RFC 5492). Codes that are not understood are kept as opaque bytes. */
export type Capability =
  | ({ readonly kind: 'multiprotocol' } & AfiSafi)
  | { readonly kind: 'route-refresh' }
  | { readonly kind: 'four-octet-as'; readonly asn: number }
  | {
      readonly kind: 'graceful-restart';
      /** The R bit: the sender has just restarted. */
      readonly restarting: boolean;
      /** The N bit of RFC 8538. */
      readonly notificationSupported: boolean;
      readonly restartTimeSeconds: number;
      readonly families: readonly RestartFamily[];
    }
  | { readonly kind: 'unknown'; readonly code: number; readonly value: Uint8Array };

type KnownKind = Exclude<Capability['kind'], 'unknown'>;

interface CapabilityRow {
  readonly code: number;
  readonly parse: (reader: ByteReader) => Capability;
}

const ROWS: Readonly<Record<KnownKind, CapabilityRow>> = {
  multiprotocol: { code: 1, parse: parseMultiprotocol },
  'route-refresh': { code: 2, parse: () => ({ kind: 'route-refresh' }) },
  'graceful-restart': { code: 64, parse: parseGracefulRestart },
  'four-octet-as': { code: 65, parse: (reader) => ({ kind: 'four-octet-as', asn: reader.u32() }) },
};

const BY_CODE = new Map(Object.values(ROWS).map((row) => [row.code, row]));

/** Parses the value of one Capabilities parameter. Malformed known capabilities are an OPEN error (subcode 0, unspecific). */
export function parseCapabilities(reader: ByteReader): Capability[] {
  const capabilities: Capability[] = [];
  while (!reader.isAtEnd) {
    let code: number;
    let value: Uint8Array;
    try {
      code = reader.u8();
      value = reader.bytes(reader.u8());
    } catch {
      throw new BgpError('open-message', 0, 'a capability is cut short');
    }
    const row = BY_CODE.get(code);
    try {
      capabilities.push(row ? row.parse(new ByteReader(value)) : { kind: 'unknown', code, value });
    } catch {
      throw new BgpError('open-message', 0, `capability ${code} is malformed`);
    }
  }
  return capabilities;
}

export function composeCapability(writer: ByteWriter, capability: Capability): void {
  if (capability.kind === 'unknown') {
    writer.u8(capability.code).lengthPrefixed(1, () => writer.bytes(capability.value));
    return;
  }
  writer.u8(ROWS[capability.kind].code).lengthPrefixed(1, () => composeValue(writer, capability));
}

function composeValue(writer: ByteWriter, capability: Exclude<Capability, { kind: 'unknown' }>): void {
  switch (capability.kind) {
    case 'multiprotocol':
      writer.u16(capability.afi).u8(0).u8(capability.safi);
      return;
    case 'route-refresh':
      return;
    case 'four-octet-as':
      writer.u32(capability.asn);
      return;
    case 'graceful-restart': {
      const flags = (capability.restarting ? 0x8 : 0) | (capability.notificationSupported ? 0x4 : 0);
      writer.u16((flags << 12) | capability.restartTimeSeconds);
      for (const family of capability.families) {
        writer
          .u16(family.afi)
          .u8(family.safi)
          .u8(family.forwardingPreserved ? 0x80 : 0);
      }
      return;
    }
    default:
      capability satisfies never;
  }
}

function parseMultiprotocol(reader: ByteReader): Capability {
  const afi = reader.u16();
  reader.skip(1);
  return { kind: 'multiprotocol', afi, safi: reader.u8() };
}

function parseGracefulRestart(reader: ByteReader): Capability {
  const head = reader.u16();
  const families: RestartFamily[] = [];
  while (!reader.isAtEnd) {
    families.push({ afi: reader.u16(), safi: reader.u8(), forwardingPreserved: (reader.u8() & 0x80) !== 0 });
  }
  return {
    kind: 'graceful-restart',
    restarting: (head & 0x8000) !== 0,
    notificationSupported: (head & 0x4000) !== 0,
    restartTimeSeconds: head & 0x0fff,
    families,
  };
}

/** What both sides may use on a session, from the two lists of capabilities. */
export interface Negotiated {
  readonly families: ReadonlySet<Family>;
  readonly fourOctetAs: boolean;
  readonly routeRefresh: boolean;
  /** The peer's graceful restart capability: it wants End-of-RIB, and keeps our routes when we restart. */
  readonly peerRestart: Extract<Capability, { kind: 'graceful-restart' }> | undefined;
}

/** A peer without any multiprotocol capability carries IPv4 unicast only (RFC 4760 section 8). */
export function negotiate(ours: readonly Capability[], theirs: readonly Capability[]): Negotiated {
  const familiesOf = (capabilities: readonly Capability[]) => {
    const listed = capabilities.filter((capability) => capability.kind === 'multiprotocol');
    if (listed.length === 0) return new Set<Family>(['ipv4-unicast']);
    return new Set(listed.map(familyOf).filter((family) => family !== undefined));
  };
  const both = (kind: Capability['kind']) => ours.some((c) => c.kind === kind) && theirs.some((c) => c.kind === kind);
  return {
    families: familiesOf(ours).intersection(familiesOf(theirs)),
    fourOctetAs: both('four-octet-as'),
    routeRefresh: both('route-refresh'),
    peerRestart: theirs.find((capability) => capability.kind === 'graceful-restart'),
  };
}

/** The capabilities of our OPEN. */
export function ownCapabilities(options: {
  readonly asn: number;
  readonly families: readonly Family[];
  readonly gracefulRestart?:
    | { readonly restarting: boolean; readonly forwardingPreserved: boolean; readonly restartTimeSeconds: number }
    | undefined;
}): Capability[] {
  const { gracefulRestart } = options;
  const capabilities: Capability[] = [
    ...options.families.map((family): Capability => ({ kind: 'multiprotocol', ...afiSafiOf(family) })),
    { kind: 'route-refresh' },
    { kind: 'four-octet-as', asn: options.asn },
  ];
  if (gracefulRestart) {
    capabilities.push({
      kind: 'graceful-restart',
      restarting: gracefulRestart.restarting,
      notificationSupported: false,
      restartTimeSeconds: gracefulRestart.restartTimeSeconds,
      families: options.families.map((family) => ({
        ...afiSafiOf(family),
        forwardingPreserved: gracefulRestart.forwardingPreserved,
      })),
    });
  }
  return capabilities;
}
