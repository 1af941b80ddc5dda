import { type Clock, messageOf } from '@ballast/base';
import { isApiError, type KubeClient, type Resource } from '@ballast/kube';
import type { Manifest } from './lan-manifests.ts';

/** Errors that pass by themselves while a cluster comes up: a kind not yet registered, a server not yet there. */
const PASSING = [
  'unreachable',
  'NotFound',
  'ServiceUnavailable',
  'InternalError',
  'Conflict',
  'TooManyRequests',
] as const;

/** Applies objects through the API (server-side apply), waiting for a cluster that is still coming up. */
export async function applyManifests(options: {
  client: KubeClient;
  manifests: readonly Manifest[];
  clock: Clock;
  timeoutMs: number;
  signal?: AbortSignal;
}): Promise<void> {
  const { client, clock, signal } = options;
  const deadlineMs = clock.monotonicMs() + options.timeoutMs;
  for (const manifest of options.manifests) {
    const { name, namespace } = manifest.metadata;
    for (;;) {
      try {
        const body = { type: 'apply', body: manifest, fieldManager: 'ballast-lab', force: true } as const;
        await client.patch(resourceOf(manifest), { name, namespace }, body);
        break;
      } catch (error) {
        if (!isApiError(error, ...PASSING) || clock.monotonicMs() > deadlineMs) {
          throw new Error(`${manifest.kind} ${name} cannot be applied: ${messageOf(error)}`, { cause: error });
        }
        await clock.sleep(100, signal);
      }
    }
  }
}

/** The collection an object belongs to, for the kinds that the lab applies: their plural is regular. */
function resourceOf(manifest: Manifest): Resource {
  const [left = '', right] = (manifest.apiVersion ?? '').split('/');
  const kind = manifest.kind ?? '';
  return {
    group: right === undefined ? '' : left,
    version: right ?? left,
    plural: `${kind.toLowerCase()}s`,
    kind,
    namespaced: manifest.metadata.namespace !== undefined,
  };
}
