import { type JsonObject, textAt } from '../object/api-object.ts';
import type { Cell, Column, Printer } from './column.ts';
import { age } from './human-duration.ts';
import { type JsonPath, parseJsonPath, valuesAt } from './json-path.ts';

const TYPES = new Set(['string', 'integer', 'number', 'boolean', 'date']);

/** The printer of a custom resource: its name, the additionalPrinterColumns, and the age where no columns are given. */
export function customPrinter(definitions: readonly JsonObject[]): Printer {
  const name: Column = { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 };
  if (definitions.length === 0) {
    return {
      columns: [name, { name: 'Age', type: 'date', format: '', description: '', priority: 0 }],
      cells: (object, nowMs) => [object.metadata.name, age(object.metadata.creationTimestamp, nowMs)],
    };
  }
  const parsed = definitions.map((definition) => ({ column: columnOf(definition), path: pathOf(definition) }));
  return {
    columns: [name, ...parsed.map(({ column }) => column)],
    cells: (object, nowMs) => [
      object.metadata.name,
      ...parsed.map(({ column, path }) => cellOf(column, path && valuesAt(path, object), nowMs)),
    ],
  };
}

function columnOf(definition: JsonObject): Column {
  const type = textAt(definition, 'type') ?? 'string';
  return {
    name: textAt(definition, 'name') ?? '',
    type: TYPES.has(type) ? (type as Column['type']) : 'string',
    format: textAt(definition, 'format') ?? '',
    description: textAt(definition, 'description') ?? '',
    priority: typeof definition.priority === 'number' ? definition.priority : 0,
  };
}

/** A path that cannot be read makes an empty column, not an error for everything else. */
function pathOf(definition: JsonObject): JsonPath | undefined {
  try {
    return parseJsonPath(textAt(definition, 'jsonPath') ?? '');
  } catch {
    return undefined;
  }
}

function cellOf(column: Column, values: readonly unknown[] | undefined, nowMs: number): Cell {
  const [value] = values ?? [];
  if (value === undefined || value === null) return null;
  switch (column.type) {
    case 'integer':
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return age(value, nowMs);
    default:
      return (values ?? []).map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join(',');
  }
}
