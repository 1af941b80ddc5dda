import { createHash } from 'node:crypto';
import { apiVersionOf } from '@ballast/kube';
import type { ResourceDefinition } from '../resources/definition.ts';

/** Groups in the order of discovery, each with its versions, the preferred one first. */
export interface GroupVersions {
  readonly group: string;
  readonly versions: readonly string[];
}

export function groupsOf(resources: readonly ResourceDefinition[]): GroupVersions[] {
  const groups = new Map<string, Set<string>>();
  for (const { group, version } of resources) {
    const versions = groups.get(group) ?? new Set();
    groups.set(group, versions.add(version));
  }
  return [...groups].map(([group, versions]) => ({ group, versions: [...versions].sort(compareVersions) }));
}

/** Kubernetes' order of versions, newest and most stable first: v2, v1, v1beta2, v1beta1, v1alpha1, others by name. */
export function compareVersions(a: string, b: string): number {
  const rank = (text: string) => {
    const match = /^v([0-9]+)(?:(alpha|beta)([0-9]+))?$/.exec(text);
    if (!match) return undefined;
    return [match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0, Number(match[1]), Number(match[3] ?? 0)] as const;
  };
  const [left, right] = [rank(a), rank(b)];
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : a > b ? 1 : 0;
  return right[0] - left[0] || right[1] - left[1] || right[2] - left[2];
}

export function coreVersions(serverAddress: string): object {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

export function groupDocument({ group, versions }: GroupVersions): object {
  const all = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: all, preferredVersion: all[0] };
}

export function groupList(resources: readonly ResourceDefinition[]): object {
  const groups = groupsOf(resources).filter(({ group }) => group !== '');
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupDocument) };
}

export function resourceList(resources: readonly ResourceDefinition[], groupVersion: string): object {
  const own = resources.filter((resource) => apiVersionOf(resource) === groupVersion);
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: own.flatMap(entriesOf) };
}

function entriesOf(resource: ResourceDefinition): object[] {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories } = resource;
  const main = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(verbs.includes('get') ? { storageVersionHash: storageVersionHash(resource) } : {}),
  };
  const parts = resource.subresources.map((part) => ({
    name: `${plural}/${part.name}`,
    singularName: '',
    namespaced,
    ...(part.group === undefined ? {} : { group: part.group }),
    ...(part.version === undefined ? {} : { version: part.version }),
    kind: part.kind ?? kind,
    verbs: part.verbs,
  }));
  return [main, ...parts];
}

/** Tells clients when the storage version of a kind changes. */
function storageVersionHash({ storageKey, storageVersion, kind }: ResourceDefinition): string {
  return createHash('sha256')
    .update(`${storageKey} ${storageVersion}/${kind}`)
    .digest()
    .subarray(0, 8)
    .toString('base64');
}
