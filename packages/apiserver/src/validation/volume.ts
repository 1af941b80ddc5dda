import { isJsonObject, type JsonObject, listAt } from '../object/api-object.ts';
import { duplicateValue, forbiddenValue, invalidValue, requiredValue } from '../object/field-problems.ts';
import { dnsLabel } from './formats.ts';
import { itemsAt, type Problems } from './problems.ts';

/** The volumes of a pod spec. Returns the names that containers may mount. */
export function checkVolumes(spec: JsonObject, path: string, problems: Problems): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [volume, at] of itemsAt(spec, 'volumes', path)) {
    const { name } = volume;
    if (typeof name === 'string' && name !== '') {
      problems.format(`${at}.name`, name, dnsLabel);
      if (names.has(name)) problems.add(duplicateValue(`${at}.name`, name));
      names.add(name);
    }
    checkVolume(volume, at, problems);
  }
  return names;
}

function checkVolume(volume: JsonObject, at: string, problems: Problems): void {
  const sources = Object.keys(volume).filter((field) => field !== 'name' && volume[field] !== undefined);
  if (sources.length === 0) problems.add(requiredValue(at, 'must specify a volume type'));
  for (const source of sources.slice(1)) {
    problems.add(forbiddenValue(`${at}.${source}`, 'may not specify more than 1 volume type'));
  }
  const { configMap, secret, projected, downwardAPI, hostPath } = volume;
  if (isJsonObject(configMap)) {
    problems.required(`${at}.configMap.name`, configMap.name);
    checkFiles(configMap, `${at}.configMap`, problems);
  }
  if (isJsonObject(secret)) {
    problems.required(`${at}.secret.secretName`, secret.secretName);
    checkFiles(secret, `${at}.secret`, problems);
  }
  if (isJsonObject(downwardAPI)) checkFiles(downwardAPI, `${at}.downwardAPI`, problems);
  if (isJsonObject(projected)) {
    checkMode(projected.defaultMode, `${at}.projected.defaultMode`, problems);
    for (const [source, sourceAt] of itemsAt(projected, 'sources', `${at}.projected`)) {
      const kinds = Object.keys(source);
      if (kinds.length === 0) problems.add(requiredValue(sourceAt, 'must specify a projected source type'));
      for (const kind of kinds.slice(1)) {
        problems.add(forbiddenValue(`${sourceAt}.${kind}`, 'may not specify more than 1 volume type per source'));
      }
      for (const kind of ['configMap', 'secret']) {
        const reference = source[kind];
        if (!isJsonObject(reference)) continue;
        problems.required(`${sourceAt}.${kind}.name`, reference.name);
        checkFiles(reference, `${sourceAt}.${kind}`, problems);
      }
      const token = source.serviceAccountToken;
      if (isJsonObject(token) && typeof token.expirationSeconds === 'number' && token.expirationSeconds < 600) {
        problems.add(
          invalidValue(
            `${sourceAt}.serviceAccountToken.expirationSeconds`,
            token.expirationSeconds,
            'may not specify a duration less than 10 minutes',
          ),
        );
      }
    }
  }
  if (isJsonObject(hostPath) && typeof hostPath.path === 'string' && hostPath.path.split('/').includes('..')) {
    problems.add(invalidValue(`${at}.hostPath.path`, hostPath.path, "must not contain '..'"));
  }
}

function checkFiles(source: JsonObject, at: string, problems: Problems): void {
  checkMode(source.defaultMode, `${at}.defaultMode`, problems);
  for (const [item, itemAt] of itemsAt(source, 'items', at)) {
    const { path } = item;
    checkMode(item.mode, `${itemAt}.mode`, problems);
    if (typeof path !== 'string' || path === '') continue;
    if (path.startsWith('/')) problems.add(invalidValue(`${itemAt}.path`, path, 'must be a relative path'));
    if (path.split('/').includes('..')) problems.add(invalidValue(`${itemAt}.path`, path, "must not contain '..'"));
    if (path.startsWith('..')) problems.add(invalidValue(`${itemAt}.path`, path, "must not start with '..'"));
  }
}

function checkMode(mode: unknown, at: string, problems: Problems): void {
  if (typeof mode === 'number' && (mode < 0 || mode > 0o777)) {
    problems.add(invalidValue(at, mode, 'must be a number between 0 and 0777 (octal), both inclusive'));
  }
}

/** Names of the claim templates of a StatefulSet, which its containers may mount too. */
export function claimTemplateVolumes(spec: JsonObject): JsonObject[] {
  return listAt(spec, 'volumeClaimTemplates').flatMap((claim) => {
    const name = isJsonObject(claim) && isJsonObject(claim.metadata) ? claim.metadata.name : undefined;
    return typeof name === 'string' ? [{ name, persistentVolumeClaim: { claimName: name } }] : [];
  });
}
