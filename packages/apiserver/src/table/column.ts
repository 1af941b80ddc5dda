import type { ApiObject } from '../object/api-object.ts';

export type Cell = string | number | boolean | null;

/** A column as a meta.k8s.io Table describes it. Columns with a priority above 0 are only shown by `-o wide`. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

/** A remark on a row; kubectl hides completed pods by it on request. */
export interface RowCondition {
  readonly type: 'Completed';
  readonly status: 'True';
  readonly reason: string;
  readonly message: string;
}

/** How one kind is printed. */
export interface Printer {
  readonly columns: readonly Column[];
  cells(object: ApiObject, nowMs: number): Cell[];
  conditions?(object: ApiObject): RowCondition[];
}

/**
 * Columns from short texts: 'Ready' is a text column, 'Desired:integer' names the type, and a trailing '+' puts it into wide tables only.
 */
export function columns(...texts: readonly string[]): Column[] {
  return texts.map((text) => {
    const wide = text.endsWith('+');
    const [name = '', type = 'string'] = (wide ? text.slice(0, -1) : text).split(':');
    return {
      name,
      type: type as Column['type'],
      format: name === 'Name' ? 'name' : '',
      description: '',
      priority: wide ? 1 : 0,
    };
  });
}

export const NONE = '<none>';
export const UNSET = '<unset>';
export const UNKNOWN = '<unknown>';
