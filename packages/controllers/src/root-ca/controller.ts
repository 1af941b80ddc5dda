import { aborted, runInBackground } from '@ballast/base';
import { CONFIG_MAPS, type ConfigMap, isApiError, keyOf, NAMESPACES, startInformer } from '@ballast/kube';
import type { Controller } from '../controller.ts';
import { startReconciler } from '../start-reconciler.ts';

const NAME = 'kube-root-ca.crt';
const KEY = 'ca.crt';
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service ' +
  'IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** Every namespace has the cluster's CA certificate in a ConfigMap, from where pods get it mounted. */
export const rootCaController: Controller = {
  name: 'root-ca-certificate-publisher',
  start(context) {
    const { client, logger, clock, settings } = context;
    const namespaces = context.informers.of(NAMESPACES);
    // Of all ConfigMaps of the cluster only these: a copy of the others would be large and of no use.
    const configMaps = startInformer(client, CONFIG_MAPS, { fieldSelector: `metadata.name=${NAME}`, logger, clock });
    const { queue, running } = startReconciler({
      name: 'root-ca-certificate-publisher',
      context,
      workers: 2,
      needs: [namespaces, configMaps],
      async reconcile(name) {
        const namespace = namespaces.get(name);
        if (namespace?.metadata.deletionTimestamp !== undefined || !namespace) return;
        const current = configMaps.get(`${name}/${NAME}`);
        const data = { [KEY]: settings.clusterCaPem };
        if (current?.data?.[KEY] === settings.clusterCaPem && Object.keys(current.data).length === 1) return;
        try {
          if (current) await client.update(CONFIG_MAPS, { ...current, data });
          else await client.create(CONFIG_MAPS, rootCaConfigMap(name, data));
        } catch (error) {
          // Somebody else was faster, or the namespace is going away.
          if (!isApiError(error, 'AlreadyExists', 'NotFound', 'Forbidden')) throw error;
        }
      },
    });
    namespaces.onChange(({ object, type }) => {
      if (type !== 'deleted') queue.add(keyOf(object));
    });
    configMaps.onChange(({ object }) => queue.add(object.metadata.namespace ?? ''));
    return runInBackground(async (signal) => {
      await using _copies = configMaps;
      await using _work = running;
      await aborted(signal);
    });
  },
};

function rootCaConfigMap(namespace: string, data: Record<string, string>): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: NAME, namespace, annotations: { 'kubernetes.io/description': DESCRIPTION } },
    data,
  };
}
