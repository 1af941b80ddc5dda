import type { ApiObject } from '../object/api-object.ts';
import type { WriteContext } from '../operations/write-context.ts';

/**
 * One step of admission: it may change the object, or refuse the write by throwing an ApiError. It sees creates and updates (`old` is
 * set) after defaulting and before validation, in the order of the list in index.ts; it must not depend on steps after it.
 */
export interface AdmissionStep {
  readonly name: string;
  /** Only writes for which this is true reach `admit`. */
  readonly handles: (context: WriteContext) => boolean;
  readonly admit: (object: ApiObject, old: ApiObject | undefined, context: WriteContext) => void | Promise<void>;
}
