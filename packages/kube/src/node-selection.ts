import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from './index.ts';

/** True when `spec.nodeSelector` and the required node affinity of a pod both allow this node. */
export function podSelectsNode(spec: Pick<PodSpec, 'nodeSelector' | 'affinity'>, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) {
    if (labels[key] !== value) return false;
  }
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || matchesNodeSelector(required, node);
}

/** Terms are alternatives; no term matches nothing. */
export function matchesNodeSelector(selector: NodeSelector, node: Node): boolean {
  return (selector.nodeSelectorTerms ?? []).some((term) => matchesNodeSelectorTerm(term, node));
}

/** All requirements of a term must hold; an empty term matches nothing. */
export function matchesNodeSelectorTerm(term: NodeSelectorTerm, node: Node): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  return (
    expressions.every((requirement) => holds(requirement, labels[requirement.key])) &&
    fields.every((requirement) =>
      holds(requirement, requirement.key === 'metadata.name' ? node.metadata.name : undefined),
    )
  );
}

function holds(requirement: NodeSelectorRequirement, actual: string | undefined): boolean {
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case 'In':
      return actual !== undefined && values.includes(actual);
    case 'NotIn':
      return actual === undefined || !values.includes(actual);
    case 'Exists':
      return actual !== undefined;
    case 'DoesNotExist':
      return actual === undefined;
    case 'Gt':
      return compareIntegers(actual, values[0], (a, b) => a > b);
    case 'Lt':
      return compareIntegers(actual, values[0], (a, b) => a < b);
    default:
      return false;
  }
}

const INTEGER = /^-?\d+$/;

function compareIntegers(
  actual: string | undefined,
  bound: string | undefined,
  test: (a: bigint, b: bigint) => boolean,
): boolean {
  if (actual === undefined || bound === undefined) return false;
  return INTEGER.test(actual) && INTEGER.test(bound) && test(BigInt(actual), BigInt(bound));
}
