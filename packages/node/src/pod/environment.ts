import { BallastError } from '@ballast/base';
import type { ConfigMap, Container, EnvVar, EphemeralContainer, Secret } from '@ballast/kube';
import { findContainer } from './containers-of-pod.ts';
import { expandVariables } from './expand.ts';
import { type DownwardContext, fieldValue, resourceValue } from './field-reference.ts';

/** Objects of the pod's namespace by name; undefined when they do not exist. */
export interface ConfigLookup {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
}

function missing(kind: string, name: string): BallastError<'config-missing'> {
  return new BallastError('config-missing', `${kind} "${name}" not found`);
}

/** The text entries of a Secret, decoded. */
export function secretText(secret: Secret, key: string): string | undefined {
  const encoded = secret.data?.[key];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

/** What `env` and `envFrom` of a container come to. Throws BallastError 'config-missing' when a required object or key is not there. */
export function containerEnvironment(options: {
  readonly container: Container | EphemeralContainer;
  readonly context: DownwardContext;
  readonly config: ConfigLookup;
  /** Variables of Services; those of the container win. */
  readonly services: ReadonlyMap<string, string>;
}): Map<string, string> {
  const { container, config } = options;
  const result = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    const prefix = source.prefix ?? '';
    const { configMapRef, secretRef } = source;
    if (configMapRef) {
      const name = configMapRef.name ?? '';
      const object = config.configMap(name);
      if (!object && !configMapRef.optional) throw missing('configmap', name);
      for (const [key, value] of Object.entries(object?.data ?? {})) result.set(prefix + key, value);
    }
    if (secretRef) {
      const name = secretRef.name ?? '';
      const object = config.secret(name);
      if (!object && !secretRef.optional) throw missing('secret', name);
      for (const key of Object.keys(object?.data ?? {})) {
        if (object) result.set(prefix + key, secretText(object, key) ?? '');
      }
    }
  }
  const lookUp = (name: string) => result.get(name) ?? options.services.get(name);
  for (const variable of container.env ?? []) {
    const value = variable.valueFrom ? fromSource(variable, options) : expandVariables(variable.value ?? '', lookUp);
    if (value !== undefined) result.set(variable.name, value);
  }
  for (const [name, value] of options.services) if (!result.has(name)) result.set(name, value);
  return result;
}

/** Undefined for an optional key that is not there: the variable is then not set at all. */
function fromSource(
  variable: EnvVar,
  options: { container: Container | EphemeralContainer; context: DownwardContext; config: ConfigLookup },
): string | undefined {
  const { container, context, config } = options;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = variable.valueFrom ?? {};
  if (fieldRef) return fieldValue(fieldRef.fieldPath, context);
  if (resourceFieldRef) {
    const named = resourceFieldRef.containerName;
    const target = named === undefined || named === '' ? container : findContainer(context.pod, named)?.spec;
    return resourceValue(resourceFieldRef, target ?? container, context);
  }
  const key = configMapKeyRef ?? secretKeyRef;
  if (!key) throw new BallastError('field-unsupported', `environment variable ${variable.name} has no known source`);
  const kind = configMapKeyRef ? 'configmap' : 'secret';
  const name = key.name ?? '';
  const configMap = configMapKeyRef ? config.configMap(name) : undefined;
  const secret = configMapKeyRef ? undefined : config.secret(name);
  const object = configMap ?? secret;
  const value = secret ? secretText(secret, key.key) : configMap?.data?.[key.key];
  if (value !== undefined || key.optional) return value;
  if (!object) throw missing(kind, name);
  const title = configMapKeyRef ? 'ConfigMap' : 'Secret';
  const where = `${title} ${context.pod.metadata.namespace}/${name}`;
  throw new BallastError('config-missing', `couldn't find key ${key.key} in ${where}`);
}
