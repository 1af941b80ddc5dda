import type { Manager } from './managed-fields.ts';
import type { ApplyConflict } from './server-side.ts';

/** How upstream names a manager: '"kubectl" with subresource "status" using apps/v1 at 2026-01-01T00:00:00Z'. */
function describe({ name, subresource, operation, apiVersion, time }: Manager): string {
  const through = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`;
  const when = operation === 'Update' ? ` using ${apiVersion}${time === undefined ? '' : ` at ${time}`}` : '';
  return `${JSON.stringify(name)}${through}${when}`;
}

/** The message and the causes of the 409 Status, as `kubectl apply --server-side` shows them. */
export function conflictText(conflicts: readonly ApplyConflict[]): {
  message: string;
  causes: { reason: 'FieldManagerConflict'; message: string; field: string }[];
} {
  const byManager = new Map<string, string[]>();
  for (const { manager, field } of conflicts) {
    const who = describe(manager);
    byManager.set(who, [...(byManager.get(who) ?? []), field]);
  }
  const parts = Array.from(byManager, ([who, fields]) =>
    fields.length === 1
      ? `conflict with ${who}: ${fields[0]}`
      : `conflicts with ${who}:\n${fields.map((field) => `- ${field}`).join('\n')}`,
  );
  const count = `Apply failed with ${conflicts.length} conflict${conflicts.length === 1 ? '' : 's'}`;
  return {
    message: `${count}: ${parts.join('\n')}`,
    causes: conflicts.map(({ manager, field }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${describe(manager)}`,
      field,
    })),
  };
}
