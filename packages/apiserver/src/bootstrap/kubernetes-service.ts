import { isAbort, parseIp, type Running, runInBackground } from '@ballast/base';
import type { Kernel } from '../kernel.ts';
import { type ApiObject, jsonEquals } from '../object/api-object.ts';
import { createObject } from '../operations/create.ts';
import { updateObject } from '../operations/update.ts';
import { serverWrite } from '../operations/write-context.ts';

const INTERVAL_MS = 10_000;
const NAMESPACE = 'default';
const NAME = 'kubernetes';

/** Where pods find this server. */
export interface AdvertisedAddress {
  readonly host: string;
  readonly port: number;
}

/** Keeps default/kubernetes with its Endpoints and EndpointSlice: the way in for everything that runs in pods. */
export function startKubernetesService(kernel: Kernel, address: AdvertisedAddress): Running {
  return runInBackground(async (signal) => {
    for (;;) {
      try {
        await ensureKubernetesService(kernel, address);
      } catch (error) {
        if (isAbort(error)) throw error;
        kernel.logger.warn('default/kubernetes could not be written', { error });
      }
      await kernel.clock.sleep(INTERVAL_MS, signal);
    }
  });
}

export async function ensureKubernetesService(kernel: Kernel, { host, port }: AdvertisedAddress): Promise<void> {
  const address = kernel.pools.apiServerAddress;
  const ipv6 = parseIp(host)?.family === 6;
  const metadata = { name: NAME, namespace: NAMESPACE };
  await ensure(kernel, ['', 'v1', 'services'], {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata, labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: address,
      clusterIPs: [address],
      ipFamilyPolicy: 'SingleStack',
      ipFamilies: [parseIp(address)?.family === 6 ? 'IPv6' : 'IPv4'],
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }],
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
    },
  });
  await ensure(kernel, ['', 'v1', 'endpoints'], {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: host }], ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  });
  await ensure(kernel, ['discovery.k8s.io', 'v1', 'endpointslices'], {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': NAME } },
    addressType: ipv6 ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [host], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  });
}

/** Creates the object, or brings its fields back to what they should be. */
async function ensure(kernel: Kernel, at: readonly [string, string, string], wanted: ApiObject): Promise<void> {
  const resource = kernel.registry.find(...at);
  if (!resource) return;
  const where = { namespace: NAMESPACE, name: NAME };
  const present = kernel.cache.of(resource.storageKey).get(`${NAMESPACE}/${NAME}`)?.parse();
  if (!present) {
    await createObject(structuredClone(wanted), serverWrite(kernel, resource, { operation: 'create', ...where }));
    return;
  }
  const { metadata, apiVersion: _a, kind: _k, ...fields } = wanted;
  const same = Object.entries(fields).every(([name, value]) => jsonEquals(present[name], value));
  if (same) return;
  await updateObject(
    {
      createWhenMissing: false,
      transform: (current) => ({
        ...(current ?? wanted),
        ...fields,
        metadata: { ...(current ?? wanted).metadata, labels: { ...metadata.labels } },
      }),
    },
    serverWrite(kernel, resource, { operation: 'update', ...where }),
  );
}
