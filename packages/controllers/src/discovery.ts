import { messageOf } from '@ballast/base';
import type { KubeClient, Resource } from '@ballast/kube';

/** A collection as discovery lists it. */
export interface DiscoveredResource extends Resource {
  readonly verbs: readonly string[];
}

export interface Discovery {
  /** Every collection once, in the version that its group prefers. */
  readonly resources: readonly DiscoveredResource[];
  /** Group versions that could not be asked, with the reason: nothing may be concluded from their absence. */
  readonly failures: readonly string[];
}

interface GroupList {
  readonly groups?: readonly {
    readonly name: string;
    readonly versions: readonly { readonly groupVersion: string; readonly version: string }[];
    readonly preferredVersion?: { readonly version: string };
  }[];
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}

/** Asks the API server what it serves. A group that fails does not hide the others. */
export async function discover(client: KubeClient): Promise<Discovery> {
  // What comes back is the server's word; absent parts are treated as empty.
  const { groups = [] } = (await client.read('/apis')) as GroupList;
  const versions = [
    { group: '', version: 'v1' },
    ...groups.flatMap(({ name, versions, preferredVersion }) => {
      const preferred = preferredVersion?.version ?? versions[0]?.version;
      const others = versions.map(({ version }) => version).filter((version) => version !== preferred);
      return [...(preferred === undefined ? [] : [preferred]), ...others].map((version) => ({ group: name, version }));
    }),
  ];
  const resources = new Map<string, DiscoveredResource>();
  const failures: string[] = [];
  const answers = await Promise.allSettled(
    versions.map(({ group, version }) => client.read(group === '' ? `/api/${version}` : `/apis/${group}/${version}`)),
  );
  for (const [index, answer] of answers.entries()) {
    const { group = '', version = '' } = versions[index] ?? {};
    if (answer.status === 'rejected') {
      failures.push(`${group}/${version}: ${messageOf(answer.reason)}`);
      continue;
    }
    for (const { name, kind, namespaced, verbs } of (answer.value as ResourceList).resources ?? []) {
      const key = `${group}/${name}`;
      if (name.includes('/') || resources.has(key)) continue;
      resources.set(key, { group, version, plural: name, kind, namespaced, verbs });
    }
  }
  return { resources: [...resources.values()], failures };
}

/** Collections whose objects can be found and deleted. */
export function deletable(discovery: Discovery): DiscoveredResource[] {
  return discovery.resources.filter(({ verbs }) => verbs.includes('delete') && verbs.includes('list'));
}
