import { type Ip, parseIp } from '@ballast/base';
import type { Secret } from '@ballast/kube';
import { type BgpPeer, METALLB_NAMESPACE } from '../resources/kinds.ts';
import type { Peer } from './configuration.ts';
import { parseDuration } from './duration.ts';
import { selectorProblems } from './selection.ts';

export interface PeerContext {
  readonly secretOf: (name: string) => Secret | undefined;
  readonly bfdProfiles: ReadonlySet<string>;
}

export interface ParsedPeer {
  readonly value: Peer | undefined;
  readonly problems: readonly string[];
  /** Features that the peer names and that have no effect. */
  readonly unsupported: readonly string[];
}

const DEFAULT_HOLD_SECONDS = 90;
const DEFAULT_CONNECT_RETRY_MS = 5000;

/** Parses one BGPPeer of either version; reports everything that is wrong at once. */
export function parsePeer(object: BgpPeer, context: PeerContext): ParsedPeer {
  const { spec } = object;
  const problems: string[] = [];
  const unsupported: string[] = [];
  const say = (problem: string | undefined) => {
    if (problem !== undefined) problems.push(problem);
  };

  if (!spec.myASN) say('missing local ASN');
  if ((spec.peerASN ? 1 : 0) + (spec.dynamicASN ? 1 : 0) !== 1)
    say('exactly one of peerASN and dynamicASN must be set');
  const peerAsn = spec.dynamicASN ?? spec.peerASN ?? 0;
  const localAsn = spec.localASN ?? spec.myASN;
  if (spec.localASN !== undefined && spec.localASN === peerAsn) say('localASN must differ from the ASN of the peer');
  if (spec.ebgpMultiHop && (peerAsn === localAsn || peerAsn === 'internal'))
    say('ebgpMultiHop is not for peers in the same AS');

  const address = parseAddress('BGPPeer address', spec.peerAddress, problems);
  if (spec.interface) {
    say(
      spec.peerAddress
        ? 'only one of peerAddress and interface may be set'
        : 'peering by interface without an address is not supported',
    );
  } else if (!spec.peerAddress) {
    say('peerAddress must be set');
  }
  const sourceAddress = parseAddress('source address', spec.sourceAddress, problems);
  if (sourceAddress && address && sourceAddress.family !== address.family)
    say('sourceAddress and peerAddress are of different families');
  const routerId = parseAddress('router ID', spec.routerID, problems);
  if (routerId && routerId.family !== 4) say(`invalid router ID "${spec.routerID}": it must be an IPv4 address`);

  const { holdTimeSeconds, keepaliveSeconds } = parseTimers(spec, problems);
  const connectMs = spec.connectTime === undefined ? DEFAULT_CONNECT_RETRY_MS : parseDuration(spec.connectTime);
  if (connectMs === undefined || connectMs < 1000 || connectMs > 65_535_000 || connectMs % 1000 !== 0) {
    say(`invalid connect time "${spec.connectTime}": it must be whole seconds from 1s to 65535s`);
  }

  problems.push(...selectorProblems('nodeSelectors', spec.nodeSelectors ?? []));
  const password = parsePassword(spec, context, problems);
  if (spec.bfdProfile) {
    if (context.bfdProfiles.has(spec.bfdProfile)) {
      unsupported.push(
        `BFD profile "${spec.bfdProfile}": BFD is not implemented yet, the session relies on its hold time`,
      );
    } else {
      say(`peer ${object.metadata.name} referencing non existing bfd profile ${spec.bfdProfile}`);
    }
  }
  if (problems.length > 0 || !address) return { value: undefined, problems, unsupported };
  return {
    problems,
    unsupported,
    value: {
      name: object.metadata.name,
      address,
      port: spec.peerPort || 179,
      localAsn,
      peerAsn,
      sourceAddress,
      routerId,
      holdTimeSeconds,
      keepaliveSeconds,
      connectRetryMs: connectMs ?? DEFAULT_CONNECT_RETRY_MS,
      password,
      multihop: spec.ebgpMultiHop ?? false,
      gracefulRestart: spec.enableGracefulRestart ?? true,
      bothFamilies: spec.dualStackAddressFamily ?? false,
      vrf: spec.vrf || undefined,
      nodeSelectors: spec.nodeSelectors ?? [],
    },
  };
}

function parseAddress(what: string, text: string | undefined, problems: string[]): Ip | undefined {
  if (!text) return undefined;
  const ip = parseIp(text);
  if (!ip) problems.push(`invalid ${what} "${text}"`);
  return ip;
}

/** If only one of the two times is set, the other follows: the keepalive time is a third of the hold time. */
function parseTimers(
  spec: BgpPeer['spec'],
  problems: string[],
): { holdTimeSeconds: number; keepaliveSeconds: number | undefined } {
  const parse = (what: string, text: string | undefined) => {
    if (!text) return undefined;
    const ms = parseDuration(text);
    if (ms === undefined) problems.push(`invalid ${what} "${text}"`);
    return ms === undefined ? undefined : Math.floor(ms / 1000);
  };
  const keepalive = parse('keepalive time', spec.keepaliveTime);
  const hold = parse('hold time', spec.holdTime) ?? (keepalive === undefined ? DEFAULT_HOLD_SECONDS : keepalive * 3);
  if (hold !== 0 && hold < 3) problems.push(`invalid hold time "${spec.holdTime}": must be 0 or >=3s`);
  if (hold > 65_535) problems.push(`invalid hold time "${spec.holdTime}": must be at most 65535s`);
  if (keepalive !== undefined && keepalive > hold) {
    problems.push(
      `invalid keepaliveTime "${spec.keepaliveTime}": must be lower than holdTime "${spec.holdTime ?? `${hold}s`}"`,
    );
  }
  return { holdTimeSeconds: hold, keepaliveSeconds: keepalive };
}

const MAX_MD5_BYTES = 80;

function parsePassword(spec: BgpPeer['spec'], context: PeerContext, problems: string[]): string | undefined {
  const secretName = spec.passwordSecret?.name;
  let password = spec.password || undefined;
  if (secretName) {
    if (password !== undefined) problems.push('can not have both password and secret ref set');
    const secret = context.secretOf(secretName);
    const encoded = secret?.data?.password;
    if (!secret) problems.push(`secret ref not found: "${METALLB_NAMESPACE}/${secretName}"`);
    else if (secret.type !== 'kubernetes.io/basic-auth') {
      problems.push(
        `secret type mismatch on "${METALLB_NAMESPACE}"/"${secretName}", type "kubernetes.io/basic-auth" is expected`,
      );
    } else if (encoded === undefined)
      problems.push(`password not specified in the secret "${METALLB_NAMESPACE}"/"${secretName}"`);
    else password = Buffer.from(encoded, 'base64').toString('utf8');
  }
  if (password !== undefined && Buffer.byteLength(password) > MAX_MD5_BYTES)
    problems.push(`the password is longer than ${MAX_MD5_BYTES} bytes`);
  return password;
}
