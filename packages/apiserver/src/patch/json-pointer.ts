/** Why a patch cannot be applied. `kind` 'malformed' is the client's 400, 'failed' a 422: the patch does not fit the object. */
export class PatchError extends Error {
  readonly kind: 'malformed' | 'failed';

  constructor(kind: 'malformed' | 'failed', message: string) {
    super(message);
    this.name = 'PatchError';
    this.kind = kind;
  }
}

/** The steps of a JSON pointer (RFC 6901); '' is the whole document. */
export function parsePointer(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw new PatchError('malformed', `invalid JSON pointer ${JSON.stringify(pointer)}`);
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function composePointer(steps: readonly (string | number)[]): string {
  return steps.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
