import {
  apiVersionOf,
  type KubeClient,
  type KubeObject,
  type LabelSelector,
  matchesLabelSelector,
  type OwnerReference,
  type Resource,
} from '@ballast/kube';

/** The reference to the object that manages this one; at most one has `controller: true`. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** The reference that a controller puts on what it creates for `owner`. */
export function controllerReference(resource: Resource, owner: KubeObject): OwnerReference {
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

export interface Claim<T> {
  /** Managed by the owner, and matching. */
  readonly owned: T[];
  /** Without a controller, and matching: to be taken over. */
  readonly adopt: T[];
  /** Managed by the owner, but no longer matching: to be let go. */
  readonly release: T[];
}

/** Sorts candidates by what an owner with this selector has to do about them. An owner that is being deleted changes nothing. */
export function claim<T extends KubeObject>(
  owner: KubeObject,
  selector: LabelSelector | undefined,
  candidates: Iterable<T>,
): Claim<T> {
  const result: Claim<T> = { owned: [], adopt: [], release: [] };
  const leaving = owner.metadata.deletionTimestamp !== undefined;
  for (const candidate of candidates) {
    const matches = matchesLabelSelector(selector, candidate.metadata.labels);
    const controller = controllerOf(candidate);
    if (controller) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (matches) result.owned.push(candidate);
      else if (!leaving) result.release.push(candidate);
    } else if (matches && !leaving && candidate.metadata.deletionTimestamp === undefined) {
      result.adopt.push(candidate);
    }
  }
  return result;
}

/**
 * Carries out a claim and resolves with what the owner manages afterwards. Before the first adoption the owner is read anew: a copy
 * that does not know of its deletion yet must not adopt.
 */
export async function carryOutClaim<T extends KubeObject>(options: {
  readonly client: KubeClient;
  readonly ownerResource: Resource;
  readonly owner: KubeObject;
  readonly resource: Resource<T>;
  readonly claim: Claim<T>;
}): Promise<T[]> {
  const { client, owner, resource } = options;
  const { owned, adopt, release } = options.claim;
  const result = [...owned];
  if (adopt.length > 0 && (await mayAdopt(options))) {
    const reference = controllerReference(options.ownerResource, owner);
    for (const object of adopt) {
      const references = [...(object.metadata.ownerReferences ?? []), reference];
      result.push(await client.patch(resource, object.metadata, ownersPatch(object, references)));
    }
  }
  for (const object of release) {
    const references = object.metadata.ownerReferences?.filter(({ uid }) => uid !== owner.metadata.uid) ?? [];
    await client.patch(resource, object.metadata, ownersPatch(object, references));
  }
  return result;
}

async function mayAdopt(options: { client: KubeClient; ownerResource: Resource; owner: KubeObject }): Promise<boolean> {
  const current = await options.client.find(options.ownerResource, options.owner.metadata);
  return current?.metadata.uid === options.owner.metadata.uid && current?.metadata.deletionTimestamp === undefined;
}

function ownersPatch(object: KubeObject, ownerReferences: readonly OwnerReference[]) {
  const { uid, resourceVersion } = object.metadata;
  return { type: 'merge', body: { metadata: { uid, resourceVersion, ownerReferences } } } as const;
}
