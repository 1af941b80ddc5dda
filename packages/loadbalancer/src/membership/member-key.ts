import { randomBytes } from 'node:crypto';
import { isApiError, type KubeClient, NAMESPACES, SECRETS, type Secret } from '@ballast/kube';
import { METALLB_NAMESPACE } from '../resources/kinds.ts';

/** The Secret with which speakers sign their heartbeats. */
export const MEMBER_SECRET = 'ballast-memberlist';
const KEY_FIELD = 'secretkey';

/** Makes the Secret (and MetalLB's namespace) unless it exists. */
export async function ensureMemberKey(client: KubeClient): Promise<void> {
  if (await client.find(SECRETS, { namespace: METALLB_NAMESPACE, name: MEMBER_SECRET })) return;
  if (!(await client.find(NAMESPACES, { name: METALLB_NAMESPACE }))) {
    await ignoreExisting(client.create(NAMESPACES, { metadata: { name: METALLB_NAMESPACE } }));
  }
  await ignoreExisting(
    client.create(SECRETS, {
      metadata: { namespace: METALLB_NAMESPACE, name: MEMBER_SECRET },
      type: 'Opaque',
      data: { [KEY_FIELD]: randomBytes(32).toString('base64') },
    }),
  );
}

/** The key in the Secret. */
export function memberKeyOf(secret: Secret | undefined): Uint8Array | undefined {
  const encoded = secret?.data?.[KEY_FIELD];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64');
}

async function ignoreExisting(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isApiError(error, 'AlreadyExists')) throw error;
  }
}
