import { BallastError } from '@ballast/base';
import {
  type Container,
  type EphemeralContainer,
  type Pod,
  parseQuantityNanos,
  type ResourceFieldSelector,
} from '@ballast/kube';

/** The part of the world that the downward API shows beside the pod itself. */
export interface DownwardContext {
  readonly pod: Pod;
  readonly podIps: readonly string[];
  readonly nodeIps: readonly string[];
  /** What the node can give to pods, which stands in for limits that are not set: millicores and bytes. */
  readonly allocatable: { readonly milliCpu: number; readonly memoryBytes: number; readonly ephemeralBytes: number };
}

function unsupported(path: string): BallastError<'field-unsupported'> {
  return new BallastError('field-unsupported', `unsupported fieldPath: ${path}`);
}

/** A map as downward API files show it: one key="value" a line, sorted, quoted as Go does. */
function formatMap(map: Readonly<Record<string, string>>): string {
  return Object.keys(map)
    .toSorted()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join('\n');
}

/** The value of a fieldRef as text; throws BallastError 'field-unsupported' for paths that do not exist. */
export function fieldValue(path: string, context: DownwardContext): string {
  const { metadata, spec } = context.pod;
  const indexed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (indexed) return (indexed[1] === 'labels' ? metadata.labels : metadata.annotations)?.[indexed[2] ?? ''] ?? '';
  const { podIps, nodeIps } = context;
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'metadata.labels':
      return formatMap(metadata.labels ?? {});
    case 'metadata.annotations':
      return formatMap(metadata.annotations ?? {});
    case 'spec.nodeName':
      return spec?.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec?.serviceAccountName ?? '';
    case 'status.hostIP':
      return nodeIps[0] ?? '';
    case 'status.hostIPs':
      return nodeIps.join(',');
    case 'status.podIP':
      return podIps[0] ?? '';
    case 'status.podIPs':
      return podIps.join(',');
    default:
      throw unsupported(path);
  }
}

const NANO = 1_000_000_000n;

/** The value of a resourceFieldRef, in units of its divisor and rounded up. Limits that are not set are what the node can give. */
export function resourceValue(
  selector: ResourceFieldSelector,
  container: Container | EphemeralContainer,
  context: DownwardContext,
): string {
  const match = /^(limits|requests)\.(.+)$/.exec(selector.resource);
  const [, list, name = ''] = match ?? [];
  if (!match) throw unsupported(selector.resource);
  const { allocatable } = context;
  const fallback: Record<string, bigint> = {
    cpu: BigInt(allocatable.milliCpu) * 1_000_000n,
    memory: BigInt(allocatable.memoryBytes) * NANO,
    'ephemeral-storage': BigInt(allocatable.ephemeralBytes) * NANO,
  };
  const text =
    list === 'limits' ? container.resources?.limits?.[name] : (container.resources?.requests?.[name] ?? undefined);
  const amount = text === undefined ? undefined : parseQuantityNanos(text);
  const value = amount ?? (list === 'limits' ? (fallback[name] ?? 0n) : 0n);
  const divisor = parseQuantityNanos(selector.divisor ?? '0') ?? 0n;
  const unit = divisor > 0n ? divisor : NANO;
  return String((value + unit - 1n) / unit);
}
