/** Who asks. */
export interface Identity {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const ANONYMOUS: Identity = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** The server itself, for what it writes on its own behalf. */
export const SERVER_IDENTITY: Identity = {
  name: 'system:apiserver',
  groups: ['system:masters', 'system:authenticated'],
};

export function isAnonymous(identity: Identity): boolean {
  return identity.name === ANONYMOUS.name;
}
