import type { OwnerReference, Pod, PodSpec, PodTemplateSpec } from '@ballast/kube';
import { nameSuffix } from './template-hash.ts';

/** Room for '-' and five characters below the 63 of a label, which is what a pod's host name may have. */
const MAX_PREFIX = 57;

/** The pod that a workload creates from its template, named by its owner and five random characters. */
export function podFromTemplate(options: {
  readonly template: PodTemplateSpec;
  readonly owner: OwnerReference;
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: PodSpec;
}): Pod {
  const { template, owner, namespace } = options;
  const prefix = `${owner.name.slice(0, MAX_PREFIX)}-`;
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${prefix}${nameSuffix()}`,
      generateName: prefix,
      namespace,
      labels: { ...labels, ...options.labels },
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ...(finalizers ? { finalizers: [...finalizers] } : {}),
      ownerReferences: [owner],
    },
    ...((options.spec ?? template.spec) ? { spec: structuredClone(options.spec ?? template.spec) } : {}),
  } as Pod;
}
