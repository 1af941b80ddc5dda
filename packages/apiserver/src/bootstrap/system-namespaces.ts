import { isApiError } from '@ballast/kube';
import type { Kernel } from '../kernel.ts';
import { createObject } from '../operations/create.ts';
import { serverWrite } from '../operations/write-context.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** The namespaces that every cluster has. */
export async function ensureSystemNamespaces(kernel: Kernel): Promise<void> {
  const resource = kernel.registry.find('', 'v1', 'namespaces');
  if (!resource) return;
  for (const name of NAMESPACES) {
    if (kernel.cache.of(resource.storageKey).get(name)) continue;
    try {
      await createObject(
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
        serverWrite(kernel, resource, { operation: 'create' }),
      );
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists')) throw error;
    }
  }
}
