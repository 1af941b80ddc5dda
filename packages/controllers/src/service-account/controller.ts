import { isApiError, keyOf, NAMESPACES, SERVICE_ACCOUNTS } from '@ballast/kube';
import type { Controller } from '../controller.ts';
import { startReconciler } from '../start-reconciler.ts';

const DEFAULT = 'default';

/** Every namespace has a ServiceAccount `default`: pods that name none run as it. */
export const serviceAccountController: Controller = {
  name: 'serviceaccount',
  start(context) {
    const namespaces = context.informers.of(NAMESPACES);
    const accounts = context.informers.of(SERVICE_ACCOUNTS);
    const { queue, running } = startReconciler({
      name: 'serviceaccount',
      context,
      workers: 2,
      needs: [namespaces, accounts],
      async reconcile(name) {
        const namespace = namespaces.get(name);
        if (namespace?.metadata.deletionTimestamp !== undefined || !namespace) return;
        if (accounts.get(`${name}/${DEFAULT}`)) return;
        try {
          await context.client.create(SERVICE_ACCOUNTS, {
            apiVersion: 'v1',
            kind: 'ServiceAccount',
            metadata: { name: DEFAULT, namespace: name },
          });
        } catch (error) {
          // Somebody else was faster, or the namespace is going away.
          if (!isApiError(error, 'AlreadyExists', 'NotFound', 'Forbidden')) throw error;
        }
      },
    });
    namespaces.onChange(({ object, type }) => {
      if (type !== 'deleted') queue.add(keyOf(object));
    });
    accounts.onChange(({ object, type }) => {
      if (type === 'deleted' && object.metadata.name === DEFAULT) queue.add(object.metadata.namespace ?? '');
    });
    return running;
  },
};
