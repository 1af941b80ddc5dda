import { BallastError } from '@ballast/base';
import type { ConfigMap, DownwardAPIVolumeFile, KeyToPath, Pod, Secret, Volume } from '@ballast/kube';
import { findContainer } from '../pod/containers-of-pod.ts';
import type { ConfigLookup } from '../pod/environment.ts';
import { type DownwardContext, fieldValue, resourceValue } from '../pod/field-reference.ts';
import type { Payload, PayloadFile } from './atomic-writer.ts';

const DEFAULT_MODE = 0o644;

/** What a serviceAccountToken source asks for. */
export interface TokenWish {
  readonly audience: string | undefined;
  readonly expirationSeconds: number;
}

export interface PayloadContext {
  readonly pod: Pod;
  readonly downward: DownwardContext;
  readonly config: ConfigLookup;
  readonly token: (wish: TokenWish) => Promise<string>;
}

function missing(kind: string, name: string): BallastError<'config-missing'> {
  return new BallastError('config-missing', `${kind} "${name}" not found`);
}

/** All keys of an object as files, or those that `items` names. A named key that is not there is an error unless `optional`. */
function selectKeys(
  contents: ReadonlyMap<string, Uint8Array>,
  options: { items: readonly KeyToPath[] | undefined; mode: number; optional: boolean; what: string },
): Map<string, PayloadFile> {
  const files = new Map<string, PayloadFile>();
  if (!options.items) {
    for (const [key, content] of contents) files.set(key, { content, mode: options.mode });
    return files;
  }
  for (const item of options.items) {
    const content = contents.get(item.key);
    if (content) files.set(item.path, { content, mode: item.mode ?? options.mode });
    else if (!options.optional) {
      throw new BallastError('config-missing', `${options.what} references non-existent config key: ${item.key}`);
    }
  }
  return files;
}

function contentsOfConfigMap(object: ConfigMap | undefined): Map<string, Uint8Array> {
  const contents = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(object?.data ?? {})) contents.set(key, Buffer.from(value));
  for (const [key, value] of Object.entries(object?.binaryData ?? {})) contents.set(key, Buffer.from(value, 'base64'));
  return contents;
}

function contentsOfSecret(object: Secret | undefined): Map<string, Uint8Array> {
  return new Map(Object.entries(object?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}

interface KeyedSource {
  readonly name: string;
  readonly items: readonly KeyToPath[] | undefined;
  readonly optional: boolean;
  readonly mode: number;
}

function configMapFiles(source: KeyedSource, config: ConfigLookup): Map<string, PayloadFile> {
  const object = config.configMap(source.name);
  if (!object && !source.optional) throw missing('configmap', source.name);
  return selectKeys(contentsOfConfigMap(object), { ...source, what: `configmap ${source.name}` });
}

function secretFiles(source: KeyedSource, config: ConfigLookup): Map<string, PayloadFile> {
  const object = config.secret(source.name);
  if (!object && !source.optional) throw missing('secret', source.name);
  return selectKeys(contentsOfSecret(object), { ...source, what: `secret ${source.name}` });
}

function downwardFiles(
  items: readonly DownwardAPIVolumeFile[],
  mode: number,
  context: PayloadContext,
): Map<string, PayloadFile> {
  const files = new Map<string, PayloadFile>();
  for (const item of items) {
    let text = '';
    if (item.fieldRef) text = fieldValue(item.fieldRef.fieldPath, context.downward);
    else if (item.resourceFieldRef) {
      const name = item.resourceFieldRef.containerName ?? '';
      const container = findContainer(context.pod, name)?.spec;
      if (!container) throw new BallastError('field-unsupported', `container "${name}" not found`);
      text = resourceValue(item.resourceFieldRef, container, context.downward);
    }
    files.set(item.path, { content: Buffer.from(text), mode: item.mode ?? mode });
  }
  return files;
}

/** The files of a volume that comes from the API, or undefined for volumes of another sort. */
export async function volumePayload(volume: Volume, context: PayloadContext): Promise<Payload | undefined> {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) {
    const { name = '', items, optional = false, defaultMode: mode = DEFAULT_MODE } = configMap;
    return configMapFiles({ name, items, optional, mode }, context.config);
  }
  if (secret) {
    const { secretName: name = '', items, optional = false, defaultMode: mode = DEFAULT_MODE } = secret;
    return secretFiles({ name, items, optional, mode }, context.config);
  }
  if (downwardAPI) return downwardFiles(downwardAPI.items ?? [], downwardAPI.defaultMode ?? DEFAULT_MODE, context);
  if (!projected) return undefined;
  const mode = projected.defaultMode ?? DEFAULT_MODE;
  const files = new Map<string, PayloadFile>();
  const add = (more: ReadonlyMap<string, PayloadFile>) => {
    for (const [path, file] of more) files.set(path, file);
  };
  for (const source of projected.sources ?? []) {
    const { configMap: map, secret: secretSource, downwardAPI: downward, serviceAccountToken: token } = source;
    if (map) {
      add(
        configMapFiles(
          { name: map.name ?? '', items: map.items, optional: map.optional ?? false, mode },
          context.config,
        ),
      );
    }
    if (secretSource) {
      const { name = '', items, optional = false } = secretSource;
      add(secretFiles({ name, items, optional, mode }, context.config));
    }
    if (downward) add(downwardFiles(downward.items ?? [], mode, context));
    if (token) {
      const wish = { audience: token.audience, expirationSeconds: token.expirationSeconds ?? 3600 };
      const content = Buffer.from(await context.token(wish));
      // Readable by whoever the container runs as: with a user set, the mode of the source would lock it out.
      add(new Map([[token.path, { content, mode: runsAsOther(context.pod) ? mode | 0o444 : mode }]]));
    }
  }
  return files;
}

function runsAsOther(pod: Pod): boolean {
  if (pod.spec?.securityContext?.fsGroup !== undefined) return false;
  return (
    pod.spec?.securityContext?.runAsUser !== undefined ||
    (pod.spec?.containers ?? []).some((container) => container.securityContext?.runAsUser !== undefined)
  );
}
