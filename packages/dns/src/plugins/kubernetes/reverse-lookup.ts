import { formatIp } from '@ballast/base';
import { addressOfReverseName } from '../../corefile/reverse-zone.ts';
import { makeRecord } from '../../wire/message.ts';
import { joinName, type Name } from '../../wire/name.ts';
import { TYPE } from '../../wire/registry.ts';
import type { Lookup, LookupOptions } from './lookup.ts';

/**
 * PTR records of cluster addresses: a Service's own, otherwise those of every endpoint with that address. Targets are in the primary zone.
 * Anything else under a reverse zone does not exist here.
 */
export function reverseLookup(
  { index, namespaces, ttl }: LookupOptions,
  question: { readonly spelled: Name; readonly name: Name; readonly type: number; readonly primaryZone: Name },
): Lookup {
  const ip = addressOfReverseName(question.name);
  if (!ip) return { kind: 'nxdomain' };
  const address = formatIp(ip);
  const isShown = ({ namespace }: { namespace: string }) =>
    index.hasNamespace(namespace) && (namespaces?.has(namespace) ?? true);
  const [service] = index.servicesAt(address).filter(isShown);
  const nameOf = ({ namespace, name }: { namespace: string; name: string }): Name =>
    `${name}.${namespace}.svc.${question.primaryZone}`;
  const targets = service
    ? [nameOf(service)]
    : index
        .endpointsAt(address)
        .filter(isShown)
        .map(({ endpoint, ...at }) => joinName(endpoint.label, nameOf(at)) ?? nameOf(at));
  if (targets.length === 0) return { kind: 'nxdomain' };
  if (question.type !== TYPE.PTR) return { kind: 'nodata' };
  const owner = { name: question.spelled, ttl };
  return { kind: 'records', answers: [...new Set(targets)].map((target) => makeRecord('PTR', owner, { target })) };
}
