import { FOREGROUND, type GraphObject, ORPHAN } from './graph.ts';

/**
 * 'solid': exists and stays. 'waiting': is being deleted in the foreground and waits for its dependents. 'absent': is known not to exist.
 */
export type OwnerState = 'solid' | 'waiting' | 'absent';

export type CollectorAction =
  | { readonly kind: 'none' }
  | { readonly kind: 'delete'; readonly policy: 'Background' | 'Foreground' | 'Orphan' }
  /** Remove the references to these owners. */
  | { readonly kind: 'drop-owners'; readonly uids: readonly string[] }
  | { readonly kind: 'remove-finalizer'; readonly finalizer: string }
  /** Remove the reference to this object from these dependents, then the orphan finalizer. */
  | { readonly kind: 'orphan'; readonly dependents: readonly GraphObject[] }
  /** Delete these dependents (they decide how when looked at), and wait. */
  | { readonly kind: 'wait-for'; readonly dependents: readonly GraphObject[] };

/** What has to be done about one object now. `ownerState` is asked only for the object's own owners. */
export function planCollection(options: {
  readonly object: GraphObject;
  readonly dependents: readonly GraphObject[];
  readonly ownerState: (uid: string) => OwnerState;
}): CollectorAction {
  const { object, dependents } = options;
  if (object.deleting) return planDeleting(object, dependents);
  if (object.owners.length === 0) return { kind: 'none' };
  const uidsOf = (state: OwnerState) =>
    object.owners.filter(({ uid }) => options.ownerState(uid) === state).map(({ uid }) => uid);
  const absent = uidsOf('absent');
  const waiting = uidsOf('waiting');
  if (uidsOf('solid').length > 0) {
    const drop = [...absent, ...waiting];
    return drop.length === 0 ? { kind: 'none' } : { kind: 'drop-owners', uids: drop };
  }
  // The owner waits: whoever depends on this object goes before it, as the owner's deleter asked for the whole tree.
  if (waiting.length > 0 && dependents.length > 0) return { kind: 'delete', policy: 'Foreground' };
  if (object.finalizers.includes(ORPHAN)) return { kind: 'delete', policy: 'Orphan' };
  if (object.finalizers.includes(FOREGROUND)) return { kind: 'delete', policy: 'Foreground' };
  return { kind: 'delete', policy: 'Background' };
}

function planDeleting(object: GraphObject, dependents: readonly GraphObject[]): CollectorAction {
  if (object.finalizers.includes(ORPHAN)) return { kind: 'orphan', dependents };
  if (!object.finalizers.includes(FOREGROUND)) return { kind: 'none' };
  const blocks = ({ owners }: GraphObject) =>
    owners.some(({ uid, blockOwnerDeletion }) => uid === object.uid && blockOwnerDeletion === true);
  if (!dependents.some(blocks)) return { kind: 'remove-finalizer', finalizer: FOREGROUND };
  return { kind: 'wait-for', dependents: dependents.filter(({ deleting }) => !deleting) };
}
