import type { Node, Pod, PodSpec } from '@ballast/kube';

/** A ready node for tests; by default 4 cores, 8 GiB and 110 pods. */
export function testNode(
  name: string,
  options: {
    readonly labels?: Record<string, string>;
    readonly cpu?: string;
    readonly memory?: string;
    readonly pods?: string;
    readonly spec?: Node['spec'];
    readonly images?: readonly string[];
  } = {},
): Node {
  const { cpu = '4', memory = '8Gi', pods = '110' } = options;
  return {
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...options.labels } },
    ...(options.spec ? { spec: options.spec } : {}),
    status: {
      allocatable: { cpu, memory, pods },
      images: (options.images ?? []).map((image) => ({ names: [image], sizeBytes: 500 * 1024 * 1024 })),
    },
  };
}

/** A pod for tests, with one container. */
export function testPod(
  name: string,
  options: {
    readonly cpu?: string;
    readonly memory?: string;
    readonly labels?: Record<string, string>;
    readonly owner?: string;
    readonly spec?: Partial<PodSpec>;
    readonly hostPort?: number;
    readonly image?: string;
  } = {},
): Pod {
  const { cpu, memory, owner } = options;
  const requests = { ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}) };
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      labels: options.labels ?? {},
      ownerReferences: owner
        ? [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner, controller: true }]
        : [],
    },
    spec: {
      containers: [
        {
          name: 'c',
          image: options.image ?? 'app:1',
          resources: { requests },
          ports: options.hostPort ? [{ containerPort: 80, hostPort: options.hostPort, protocol: 'TCP' }] : [],
        },
      ],
      ...options.spec,
    },
  };
}
