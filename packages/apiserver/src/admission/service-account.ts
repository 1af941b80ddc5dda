import { randomBytes } from 'node:crypto';
import type { JsonObject } from '../object/api-object.ts';
import { fieldAt, isJsonObject, listAt, objectAt, textAt } from '../object/api-object.ts';
import { forbidden } from '../object/failures.ts';
import type { AdmissionStep } from './step.ts';

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
/** A little more than an hour, so that nodes which refresh at 80 % do so hourly. */
const TOKEN_LIFETIME_SECONDS = 3607;

/**
 * Every pod runs as a ServiceAccount: `default` unless it names one, which must exist. Its token, the cluster's CA and the namespace
 * are mounted into each container that does not mount something there itself.
 */
export const serviceAccount: AdmissionStep = {
  name: 'ServiceAccount',
  handles: ({ resource, operation, subresource }) =>
    resource.storageKey === 'pods' && operation === 'create' && subresource === '',
  admit(pod, _old, { kernel, resource, namespace }) {
    const spec = objectAt(pod, 'spec');
    if (!spec || pod.metadata.annotations?.['kubernetes.io/config.mirror']) return;
    const name = textAt(spec, 'serviceAccountName') || textAt(spec, 'serviceAccount') || 'default';
    spec.serviceAccountName = name;
    spec.serviceAccount = name;
    const account = kernel.cache.of('serviceaccounts').get(`${namespace}/${name}`)?.parse();
    if (!account) {
      throw forbidden(
        resource,
        pod.metadata.name ?? '',
        `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
      );
    }
    if (!spec.imagePullSecrets && listAt(account, 'imagePullSecrets').length > 0) {
      spec.imagePullSecrets = listAt(account, 'imagePullSecrets');
    }
    const automount = fieldAt(spec, 'automountServiceAccountToken') ?? fieldAt(account, 'automountServiceAccountToken');
    if (automount !== false) mountToken(spec);
  },
};

function mountToken(spec: JsonObject): void {
  const volumes = listAt(spec, 'volumes');
  const present = volumes.map((volume) => textAt(volume, 'name')).find((name) => name?.startsWith('kube-api-access-'));
  const volumeName = present ?? `kube-api-access-${randomBytes(4).toString('hex').slice(0, 5)}`;
  let used = false;
  for (const container of [...listAt(spec, 'initContainers'), ...listAt(spec, 'containers')]) {
    if (!isJsonObject(container)) continue;
    const mounts = listAt(container, 'volumeMounts');
    if (mounts.some((mount) => textAt(mount, 'mountPath') === MOUNT_PATH)) continue;
    container.volumeMounts = [...mounts, { name: volumeName, readOnly: true, mountPath: MOUNT_PATH }];
    used = true;
  }
  if (used && present === undefined) spec.volumes = [...volumes, tokenVolume(volumeName)];
}

function tokenVolume(name: string): JsonObject {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_LIFETIME_SECONDS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
      defaultMode: 420,
    },
  };
}
