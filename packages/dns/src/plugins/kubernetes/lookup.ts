import { canonicalIp } from '@ballast/base';
import { makeRecord, type ResourceRecord } from '../../wire/message.ts';
import { joinName, type Name, parseNameText } from '../../wire/name.ts';
import { TYPE } from '../../wire/registry.ts';
import { type ClusterName, parseClusterName } from './cluster-name.ts';
import {
  addressOfDashed,
  type EndpointEntry,
  type PortEntry,
  type ServiceEntry,
  type ServiceIndex,
} from './service-index.ts';

export interface LookupOptions {
  readonly index: ServiceIndex;
  /** Namespaces that are shown; undefined: all. */
  readonly namespaces: ReadonlySet<string> | undefined;
  readonly pods: 'disabled' | 'insecure' | 'verified';
  /** Seconds. */
  readonly ttl: number;
  readonly noEndpoints: boolean;
  /** A ClusterIP Service without endpoints does not exist. */
  readonly ignoreEmptyService: boolean;
}

/** What a cluster has to say to a question. */
export type Lookup =
  | {
      readonly kind: 'records';
      readonly answers: readonly ResourceRecord[];
      readonly additionals?: readonly ResourceRecord[];
    }
  /** An ExternalName: the alias, and where it leads. */
  | { readonly kind: 'alias'; readonly record: ResourceRecord; readonly target: Name }
  | { readonly kind: 'nodata' }
  | { readonly kind: 'nxdomain' };

const NODATA: Lookup = { kind: 'nodata' };
const NXDOMAIN: Lookup = { kind: 'nxdomain' };

/** Kubernetes DNS specification, 2.2: the version of the schema, with a TTL of its own. */
const SCHEMA_VERSION = '1.1.0';
const VERSION_TTL = 28_800;

export interface ClusterQuestion {
  /** As the client spelled it: answers repeat that. */
  readonly spelled: Name;
  /** Lower case. */
  readonly name: Name;
  readonly zone: Name;
  readonly type: number;
}

/** One Service as a question refers to it. */
interface ServiceQuestion {
  readonly question: ClusterQuestion;
  readonly service: ServiceEntry;
  readonly endpoint: string | undefined;
  readonly port: { readonly name: string; readonly protocol: string } | undefined;
}

/** Looks a name of a cluster zone up. Pure: the apex and its name server, which depend on the machine, are not looked up here. */
export function lookup(options: LookupOptions, question: ClusterQuestion): Lookup {
  const parsed = parseClusterName(question.name, question.zone);
  switch (parsed.kind) {
    case 'apex':
    case 'branch':
    case 'nameserver':
      return NODATA;
    case 'version':
      return question.type === TYPE.TXT ? version(question) : NODATA;
    case 'namespace':
      return isExposed(options, parsed.namespace) ? NODATA : NXDOMAIN;
    case 'pod':
      return lookupPod(options, question, parsed);
    case 'service':
    case 'endpoint':
    case 'port':
      return lookupService(options, question, parsed);
    case 'unknown':
      return NXDOMAIN;
  }
}

function version(question: ClusterQuestion): Lookup {
  const owner = { name: question.spelled, ttl: VERSION_TTL };
  return { kind: 'records', answers: [makeRecord('TXT', owner, { texts: [SCHEMA_VERSION] })] };
}

function isExposed({ index, namespaces }: LookupOptions, namespace: string): boolean {
  return index.hasNamespace(namespace) && (namespaces?.has(namespace) ?? true);
}

function lookupPod(
  options: LookupOptions,
  question: ClusterQuestion,
  { namespace, label }: { namespace: string; label: string },
): Lookup {
  if (options.pods === 'disabled' || !isExposed(options, namespace)) return NXDOMAIN;
  const address = addressOfDashed(label);
  if (address === undefined) return NXDOMAIN;
  if (options.pods === 'verified' && !options.index.hasPodAt(namespace, address)) return NXDOMAIN;
  return addresses([address], question, options.ttl);
}

function lookupService(
  options: LookupOptions,
  question: ClusterQuestion,
  parsed: Extract<ClusterName, { kind: 'service' | 'endpoint' | 'port' }>,
): Lookup {
  if (!isExposed(options, parsed.namespace)) return NXDOMAIN;
  const service = options.index.service(parsed.namespace, parsed.service);
  if (!service) return NXDOMAIN;
  if (service.externalName !== undefined) return lookupExternal(service.externalName, options, question, parsed.kind);
  const asked: ServiceQuestion = {
    question,
    service,
    endpoint: parsed.kind === 'endpoint' ? parsed.endpoint : undefined,
    port: parsed.kind === 'port' ? { name: parsed.port, protocol: parsed.protocol } : undefined,
  };
  const isByEndpoint = service.isHeadless || parsed.kind === 'endpoint';
  return isByEndpoint ? lookupEndpoints(options, asked) : lookupClusterIp(options, asked);
}

function lookupExternal(
  externalName: string,
  { ttl }: LookupOptions,
  question: ClusterQuestion,
  kind: ClusterName['kind'],
): Lookup {
  const target = parseNameText(externalName);
  // An address is not a name; such a Service has nothing that DNS could say.
  if (kind !== 'service' || target === undefined || canonicalIp(externalName) !== undefined) return NXDOMAIN;
  const { type } = question;
  if (type !== TYPE.A && type !== TYPE.AAAA && type !== TYPE.CNAME) return NODATA;
  const record = makeRecord('CNAME', { name: question.spelled, ttl }, { target });
  return type === TYPE.CNAME ? { kind: 'records', answers: [record] } : { kind: 'alias', record, target };
}

function lookupClusterIp(options: LookupOptions, { question, service, port }: ServiceQuestion): Lookup {
  const { index, ttl } = options;
  if (options.ignoreEmptyService && index.endpoints(service.namespace, service.name).length === 0) return NXDOMAIN;
  const ports = service.ports.filter((candidate) => isPort(candidate, port));
  if (port && ports.length === 0) return NXDOMAIN;
  if (service.clusterIps.length === 0) return NXDOMAIN;
  if (question.type !== TYPE.SRV) return addresses(service.clusterIps, question, ttl);
  const target = serviceName(question, service);
  const targets = service.clusterIps.map((address) => ({ target, address, ports }));
  return services(targets, question, ttl);
}

function lookupEndpoints(options: LookupOptions, { question, service, endpoint, port }: ServiceQuestion): Lookup {
  if (options.noEndpoints) return NXDOMAIN;
  const found = options.index
    .endpoints(service.namespace, service.name)
    .filter(({ label }) => endpoint === undefined || label === endpoint)
    .filter(({ ports }) => port === undefined || ports.some((candidate) => isPort(candidate, port)));
  if (found.length === 0) return NXDOMAIN;
  if (question.type !== TYPE.SRV) {
    return addresses(
      found.map(({ address }) => address),
      question,
      options.ttl,
    );
  }
  const parent = serviceName(question, service);
  const targets = found.map(({ label, address, ports }: EndpointEntry) => ({
    target: joinName(label, parent) ?? parent,
    address,
    ports: ports.filter((candidate) => isPort(candidate, port)),
  }));
  return services(targets, question, options.ttl);
}

function isPort(candidate: PortEntry, port: ServiceQuestion['port']): boolean {
  return !port || (candidate.name === port.name && candidate.protocol === port.protocol);
}

/** A or AAAA records of those addresses that are of the family asked for; NODATA for every other type. */
function addresses(all: readonly string[], { spelled, type }: ClusterQuestion, ttl: number): Lookup {
  const owner = { name: spelled, ttl };
  const answers = [...new Set(all)].flatMap((address) => {
    const record = addressRecord(owner, address);
    return record.type === type ? [record] : [];
  });
  return answers.length > 0 ? { kind: 'records', answers } : NODATA;
}

export function addressRecord(owner: { name: Name; ttl: number }, address: string): ResourceRecord {
  return address.includes(':') ? makeRecord('AAAA', owner, { address }) : makeRecord('A', owner, { address });
}

/**
 * SRV records, one for each target and port, with the targets' addresses beside them (RFC 2782). The weight shares 100 out among all
 * address and port pairs, so that Services with more of them get no more than others.
 */
function services(
  targets: readonly { target: Name; address: string; ports: readonly PortEntry[] }[],
  { spelled }: ClusterQuestion,
  ttl: number,
): Lookup {
  const pairs = targets.reduce((sum, { ports }) => sum + ports.length, 0);
  if (pairs === 0) return NODATA;
  const weight = Math.max(1, Math.floor(100 / pairs));
  const answers = new Map<string, ResourceRecord>();
  const additionals = new Map<string, ResourceRecord>();
  for (const { target, address, ports } of targets) {
    for (const { port } of ports) {
      const record = makeRecord('SRV', { name: spelled, ttl }, { priority: 0, weight, port, target });
      answers.set(`${port} ${target}`, record);
    }
    if (ports.length > 0) additionals.set(`${address} ${target}`, addressRecord({ name: target, ttl }, address));
  }
  return { kind: 'records', answers: [...answers.values()], additionals: [...additionals.values()] };
}

/** The Service's own name, its zone spelled as in the question. */
function serviceName({ spelled, zone }: ClusterQuestion, { namespace, name }: ServiceEntry): Name {
  return `${name}.${namespace}.svc.${spelledZone(spelled, zone)}`;
}

/** The zone at the end of a name, as the client spelled it. */
export function spelledZone(spelled: Name, zone: Name): Name {
  return zone === '.' ? '' : spelled.slice(spelled.length - zone.length);
}
