import { createPublicKey, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '@ballast/base';
import { Authority, fingerprintOf, type KeyPair } from './authority.ts';
import type { CertificateUse, Subject } from './certificate.ts';
import { formatJoinToken } from './join-token.ts';
import { ensureKey, readIfThere, writeSecret } from './key-files.ts';

/** Names under which pods and people know the API server; addresses are added to these. */
export function apiServerAltNames(options: {
  clusterDomain: string;
  /** The first address of the Service network. */
  serviceAddress: string;
  addresses: readonly string[];
}): string[] {
  const { clusterDomain } = options;
  const inCluster = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${clusterDomain}`,
  ];
  return [...new Set([...inCluster, 'localhost', '127.0.0.1', '::1', options.serviceAddress, ...options.addresses])];
}

/** Who the parts of a server are to the API; file names of their pairs in the server's tls folder. */
export const SERVER_IDENTITIES = {
  admin: { commonName: 'system:admin', organizations: ['system:masters'] },
  controller: { commonName: 'system:kube-controller-manager' },
  scheduler: { commonName: 'system:kube-scheduler' },
  'kubelet-client': { commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'] },
} as const satisfies Record<string, Subject>;

/** The same for what runs on every node, in its agent tls folder. */
export function nodeIdentities(nodeName: string): Record<'node' | 'dns', Subject> {
  return {
    node: { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] },
    dns: { commonName: 'system:ballast:dns', organizations: ['system:nodes:dns'] },
  };
}

/** Everything secret that makes a cluster: two authorities, the key of ServiceAccount tokens, the join secret. */
export interface ClusterPki {
  /** Signs what servers show: API server, join endpoint, node agents. */
  readonly serverAuthority: Authority;
  /** Signs who clients are. Another authority, so that no serving certificate can ever pass for an identity. */
  readonly clientAuthority: Authority;
  readonly secret: string;
  /** The whole join token. */
  readonly token: string;
}

/** Opens the cluster's secrets in `tlsDir`, making those that are missing. `secret` fixes the join secret of a new cluster. */
export async function openClusterPki(options: {
  tlsDir: string;
  tokenPath: string;
  secret?: string | undefined;
  clock: Clock;
}): Promise<ClusterPki> {
  const { tlsDir: dir, clock } = options;
  const serverAuthority = await Authority.open({ dir, name: 'server-ca', clock });
  const clientAuthority = await Authority.open({ dir, name: 'client-ca', clock });
  await ensureKey(join(dir, 'service-account.key'));
  for (const [name, subject] of Object.entries(SERVER_IDENTITIES)) {
    await clientAuthority.ensurePair({ dir, name, subject, use: { kind: 'client' } });
  }
  const authorityFingerprint = fingerprintOf(serverAuthority.certPem);
  const kept = (await readIfThere(options.tokenPath))?.trim();
  const secret = options.secret ?? kept?.slice(kept.lastIndexOf(':') + 1) ?? randomBytes(24).toString('base64url');
  const token = formatJoinToken({ authorityFingerprint, user: 'server', secret });
  if (token !== kept) await writeSecret(options.tokenPath, `${token}\n`);
  return { serverAuthority, clientAuthority, secret, token };
}

/** A pair of one of SERVER_IDENTITIES, read back. */
export async function readPair(dir: string, name: string): Promise<KeyPair> {
  const certPem = await readIfThere(join(dir, `${name}.crt`));
  const keyPem = await readIfThere(join(dir, `${name}.key`));
  if (certPem === undefined || keyPem === undefined) throw new Error(`${dir}/${name}.crt or .key is missing`);
  return { certPem, keyPem };
}

/** What a node asks certificates for. */
export interface NodeCertificateNames {
  readonly nodeName: string;
  readonly nodeIp: string;
}

export function servingUse(names: NodeCertificateNames): CertificateUse {
  return { kind: 'server', altNames: [names.nodeName, names.nodeIp, '127.0.0.1', 'localhost'] };
}

/** Signs a node's three public keys (SubjectPublicKeyInfo, PEM): what it serves with, and who its parts are. */
export function signNodeKeys(
  pki: Pick<ClusterPki, 'serverAuthority' | 'clientAuthority'>,
  names: NodeCertificateNames,
  keys: Readonly<Record<'serving' | 'node' | 'dns', string>>,
): Record<'serving' | 'node' | 'dns', string> {
  const identities = nodeIdentities(names.nodeName);
  const client = (name: 'node' | 'dns') =>
    pki.clientAuthority.issue({
      subject: identities[name],
      publicKey: createPublicKey(keys[name]),
      use: { kind: 'client' },
    });
  return {
    serving: pki.serverAuthority.issue({
      subject: { commonName: names.nodeName },
      publicKey: createPublicKey(keys.serving),
      use: servingUse(names),
    }),
    node: client('node'),
    dns: client('dns'),
  };
}
