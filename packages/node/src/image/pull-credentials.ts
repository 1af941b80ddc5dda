import type { Secret } from '@ballast/kube';

export interface PullCredential {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly identityToken?: string;
}

const DEFAULT_REGISTRY = 'docker.io';

/** The registry host (with port) and the path of an image reference. 'nginx' is docker.io/library/nginx. */
export function splitReference(reference: string): { readonly registry: string; readonly path: string } {
  const slash = reference.indexOf('/');
  const first = slash < 0 ? '' : reference.slice(0, slash);
  if (first.includes('.') || first.includes(':') || first === 'localhost') {
    return { registry: first, path: reference.slice(slash + 1) };
  }
  return { registry: DEFAULT_REGISTRY, path: slash < 0 ? `library/${reference}` : reference };
}

/** True when pulling needs to look for a new image by default: no tag, or latest. */
export function isLatest(reference: string): boolean {
  if (reference.includes('@')) return false;
  const tag = /:([^/:]+)$/.exec(reference)?.[1];
  return tag === undefined || tag === 'latest';
}

function normalizeServer(server: string): string {
  const host = server.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '');
  return /^(index\.|registry-1\.)?docker\.io$/.test(host) ? DEFAULT_REGISTRY : host;
}

interface DockerConfigEntry {
  username?: unknown;
  password?: unknown;
  auth?: unknown;
  identitytoken?: unknown;
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);

/**
 * The credentials in kubernetes.io/dockerconfigjson and dockercfg Secrets that fit an image, longest path first. Malformed Secrets are
 * passed over: the pull then fails with the registry's own words.
 */
export function credentialsFor(reference: string, secrets: readonly Secret[]): PullCredential[] {
  const { registry, path } = splitReference(reference);
  const found: { server: string; credential: PullCredential }[] = [];
  for (const secret of secrets) {
    for (const [server, entry] of Object.entries(entriesOf(secret))) {
      const wanted = normalizeServer(server);
      const [host = '', ...rest] = wanted.split('/');
      const prefix = rest.join('/');
      if (!hostMatches(host, registry) || !(prefix === '' || path === prefix || path.startsWith(`${prefix}/`)))
        continue;
      found.push({ server: wanted, credential: credentialOf(entry) });
    }
  }
  return found.toSorted((a, b) => b.server.length - a.server.length).map(({ credential }) => credential);
}

function credentialOf(entry: DockerConfigEntry): PullCredential {
  const [username, password, auth] = [textOf(entry.username), textOf(entry.password), textOf(entry.auth)];
  const identityToken = textOf(entry.identitytoken);
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(auth === undefined ? {} : { auth }),
    ...(identityToken === undefined ? {} : { identityToken }),
  };
}

/** `*.example.com` stands for one label. */
function hostMatches(pattern: string, host: string): boolean {
  const [patternParts, parts] = [pattern.split('.'), host.split('.')];
  return patternParts.length === parts.length && patternParts.every((part, i) => part === '*' || part === parts[i]);
}

function entriesOf(secret: Secret): Record<string, DockerConfigEntry> {
  const json = secret.data?.['.dockerconfigjson'];
  const old = secret.data?.['.dockercfg'];
  try {
    const parsed: unknown = JSON.parse(Buffer.from(json ?? old ?? '', 'base64').toString('utf8'));
    const entries = json === undefined ? parsed : (parsed as { auths?: unknown }).auths;
    if (typeof entries !== 'object' || entries === null) return {};
    const good = Object.entries(entries).filter(([, value]) => typeof value === 'object' && value !== null);
    return Object.fromEntries(good) as Record<string, DockerConfigEntry>;
  } catch {
    return {};
  }
}
