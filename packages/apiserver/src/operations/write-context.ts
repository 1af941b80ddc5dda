import { type Identity, SERVER_IDENTITY } from '../identity/identity.ts';
import type { Kernel } from '../kernel.ts';
import type { ResourceDefinition } from '../resources/definition.ts';

/** Everything about one write besides the object. */
export interface WriteContext {
  readonly kernel: Kernel;
  readonly resource: ResourceDefinition;
  readonly identity: Identity;
  readonly operation: 'create' | 'update' | 'delete';
  /** '' for the object itself; 'status', 'scale', ... */
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly dryRun: boolean;
  readonly fieldManager: string;
  /** The client did not name a manager; the one above was taken from its User-Agent. */
  readonly managerIsImplied?: boolean;
  /** managedFields are settled already: server-side apply does its own tracking. */
  readonly fieldsTracked?: boolean;
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore';
  /** Problems found while reading the body, such as fields that occur twice; a strict request is refused with them. */
  readonly bodyProblems: readonly string[];
  /** Texts for Warning headers; hooks and admission steps may add to it. */
  readonly warnings: string[];
}

/** A write that the server makes on its own behalf. */
export function serverWrite(
  kernel: Kernel,
  resource: ResourceDefinition,
  at: { namespace?: string; name?: string; operation: WriteContext['operation']; subresource?: string },
): WriteContext {
  return {
    kernel,
    resource,
    identity: SERVER_IDENTITY,
    operation: at.operation,
    subresource: at.subresource ?? '',
    namespace: at.namespace ?? '',
    name: at.name ?? '',
    dryRun: false,
    fieldManager: 'apiserver',
    fieldValidation: 'Ignore',
    bodyProblems: [],
    warnings: [],
  };
}
