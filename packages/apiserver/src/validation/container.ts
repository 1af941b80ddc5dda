import { isJsonObject, type JsonObject, listAt } from '../object/api-object.ts';
import {
  duplicateValue,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../object/field-problems.ts';
import { dnsLabel, envName, isPortNumber, PORT_RANGE_TEXT, portName } from './formats.ts';
import { itemsAt, type Problems } from './problems.ts';
import { checkResources } from './resources.ts';

export interface ContainerRules {
  /** Names of the volumes of the pod. */
  readonly volumes: ReadonlySet<string>;
  /** Names of claims and devices. */
  readonly hostNetwork: boolean;
  readonly sort: 'init' | 'main' | 'ephemeral';
}

/** One container; names that clash are the pod's matter. Missing required fields are found by the schema. */
export function checkContainer(container: JsonObject, path: string, rules: ContainerRules, problems: Problems): void {
  problems.format(`${path}.name`, container.name === '' ? undefined : container.name, dnsLabel);
  const { image } = container;
  if (!image) problems.add(requiredValue(`${path}.image`));
  else if (typeof image === 'string' && image.trim() !== image) {
    problems.add(invalidValue(`${path}.image`, image, 'must not have leading or trailing whitespace'));
  }
  checkPorts(container, path, rules, problems);
  checkEnv(container, path, problems);
  checkMounts(container, path, rules, problems);
  checkResources(container.resources, `${path}.resources`, problems);
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    checkProbe(container[probe], probe, `${path}.${probe}`, problems);
  }
  if (isJsonObject(container.lifecycle)) {
    for (const hook of ['postStart', 'preStop']) {
      const handler = container.lifecycle[hook];
      if (isJsonObject(handler))
        checkHandler(handler, `${path}.lifecycle.${hook}`, ['exec', 'httpGet', 'tcpSocket', 'sleep'], problems);
    }
  }
  const sidecar = rules.sort === 'init' && container.restartPolicy === 'Always';
  if (rules.sort === 'init' && !sidecar) {
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe']) {
      if (container[field] !== undefined)
        problems.add(
          forbiddenValue(`${path}.${field}`, 'may not be set for init containers without restartPolicy=Always'),
        );
    }
  }
  if (rules.sort === 'ephemeral') {
    for (const field of ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle']) {
      if (container[field] !== undefined) {
        problems.add(forbiddenValue(`${path}.${field}`, 'cannot be set for an Ephemeral Container'));
      }
    }
  }
}

function checkPorts(container: JsonObject, path: string, rules: ContainerRules, problems: Problems): void {
  const names = new Set<unknown>();
  for (const [port, at] of itemsAt(container, 'ports', path)) {
    const { name, containerPort, hostPort } = port;
    if (name) {
      problems.format(`${at}.name`, name, portName);
      if (names.has(name)) problems.add(duplicateValue(`${at}.name`, name));
      names.add(name);
    }
    if (containerPort === undefined || containerPort === 0) problems.add(requiredValue(`${at}.containerPort`));
    else if (!isPortNumber(containerPort))
      problems.add(invalidValue(`${at}.containerPort`, containerPort, PORT_RANGE_TEXT));
    if (hostPort !== undefined && hostPort !== 0) {
      if (!isPortNumber(hostPort)) problems.add(invalidValue(`${at}.hostPort`, hostPort, PORT_RANGE_TEXT));
      else if (rules.hostNetwork && hostPort !== containerPort) {
        problems.add(invalidValue(`${at}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true'));
      }
    }
  }
}

function checkEnv(container: JsonObject, path: string, problems: Problems): void {
  for (const [variable, at] of itemsAt(container, 'env', path)) {
    problems.format(`${at}.name`, variable.name === '' ? undefined : variable.name, envName);
    const source = variable.valueFrom;
    if (!isJsonObject(source)) continue;
    const kinds = Object.keys(source).length;
    if (kinds === 0) {
      problems.add(
        invalidValue(
          `${at}.valueFrom`,
          '',
          'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
        ),
      );
    }
    if (variable.value)
      problems.add(invalidValue(`${at}.valueFrom`, '', 'may not be specified when `value` is not empty'));
    else if (kinds > 1) {
      problems.add(invalidValue(`${at}.valueFrom`, '', 'may not have more than one field specified at a time'));
    }
    for (const kind of ['configMapKeyRef', 'secretKeyRef']) {
      const reference = source[kind];
      if (isJsonObject(reference)) problems.required(`${at}.valueFrom.${kind}.name`, reference.name);
    }
  }
  for (const [source, at] of itemsAt(container, 'envFrom', path)) {
    const kinds = ['configMapRef', 'secretRef'].filter((kind) => source[kind] !== undefined);
    if (kinds.length === 0) problems.add(invalidValue(at, '', 'must specify one of: `configMapRef` or `secretRef`'));
    if (kinds.length > 1) problems.add(invalidValue(at, '', 'may not have more than one field specified at a time'));
    for (const kind of kinds) {
      const reference = source[kind];
      if (isJsonObject(reference)) problems.required(`${at}.${kind}.name`, reference.name);
    }
  }
}

function checkMounts(container: JsonObject, path: string, rules: ContainerRules, problems: Problems): void {
  const paths = new Set<unknown>();
  for (const [mount, at] of itemsAt(container, 'volumeMounts', path)) {
    const { name, mountPath, subPath, subPathExpr } = mount;
    if (typeof name === 'string' && name !== '' && !rules.volumes.has(name)) {
      problems.add({
        reason: 'FieldValueNotFound',
        message: `Not found: ${JSON.stringify(name)}`,
        field: `${at}.name`,
      });
    }
    if (mountPath) {
      if (paths.has(mountPath)) problems.add(invalidValue(`${at}.mountPath`, mountPath, 'must be unique'));
      paths.add(mountPath);
    }
    if (subPath && subPathExpr) {
      problems.add(invalidValue(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
    }
    for (const [field, value] of [
      ['subPath', subPath],
      ['subPathExpr', subPathExpr],
    ] as const) {
      if (typeof value !== 'string' || value === '') continue;
      if (value.startsWith('/')) problems.add(invalidValue(`${at}.${field}`, value, 'must be a relative path'));
      if (value.split('/').includes('..')) problems.add(invalidValue(`${at}.${field}`, value, "must not contain '..'"));
    }
  }
}

function checkProbe(probe: unknown, kind: string, path: string, problems: Problems): void {
  if (!isJsonObject(probe)) return;
  checkHandler(probe, path, ['exec', 'httpGet', 'tcpSocket', 'grpc'], problems);
  for (const field of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ]) {
    problems.nonNegative(`${path}.${field}`, probe[field]);
  }
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && kind === 'readinessProbe') {
    problems.add(invalidValue(`${path}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'));
  } else if (typeof grace === 'number' && grace <= 0) {
    problems.add(invalidValue(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  }
  if (kind !== 'readinessProbe' && typeof probe.successThreshold === 'number' && probe.successThreshold !== 1) {
    problems.add(invalidValue(`${path}.successThreshold`, probe.successThreshold, 'must be 1'));
  }
}

function checkHandler(handler: JsonObject, path: string, kinds: readonly string[], problems: Problems): void {
  const given = kinds.filter((kind) => handler[kind] !== undefined);
  if (given.length === 0) problems.add(requiredValue(path, 'must specify a handler type'));
  for (const kind of given.slice(1))
    problems.add(forbiddenValue(`${path}.${kind}`, 'may not specify more than 1 handler type'));
  for (const kind of given.slice(0, 1)) {
    const action = handler[kind];
    if (!isJsonObject(action)) continue;
    if (kind === 'exec' && listAt(action, 'command').length === 0) problems.add(requiredValue(`${path}.exec.command`));
    if (kind === 'httpGet' || kind === 'tcpSocket') checkPort(action.port, `${path}.${kind}.port`, problems);
    if (kind === 'grpc' && !isPortNumber(action.port)) {
      problems.add(invalidValue(`${path}.grpc.port`, action.port ?? 0, PORT_RANGE_TEXT));
    }
    if (kind === 'httpGet' && action.scheme !== undefined && action.scheme !== 'HTTP' && action.scheme !== 'HTTPS') {
      problems.add(unsupportedValue(`${path}.httpGet.scheme`, action.scheme, ['HTTP', 'HTTPS']));
    }
  }
}

/** A port given by number or by name. */
export function checkPort(port: unknown, path: string, problems: Problems): void {
  if (typeof port === 'string') problems.format(path, port, portName);
  else if (!isPortNumber(port)) problems.add(invalidValue(path, port ?? 0, PORT_RANGE_TEXT));
}
