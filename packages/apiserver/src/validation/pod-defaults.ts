import { isJsonObject, type JsonObject, listAt } from '../object/api-object.ts';

const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

/** All containers of a pod spec, of whichever sort. */
export function* containersOf(spec: JsonObject): Iterable<JsonObject> {
  for (const field of CONTAINER_LISTS)
    for (const container of listAt(spec, field)) if (isJsonObject(container)) yield container;
}

/** Defaults of a pod's own object, beyond those that templates have too. */
export function defaultPod(pod: JsonObject): void {
  const spec = pod.spec;
  if (!isJsonObject(spec)) return;
  defaultPodSpec(spec);
  spec.enableServiceLinks ??= true;
  for (const container of containersOf(spec)) requestLimits(container.resources);
  requestLimits(spec.resources);
}

export function defaultPodTemplate(template: unknown): void {
  if (!isJsonObject(template) || !isJsonObject(template.spec)) return;
  defaultPodSpec(template.spec);
}

function defaultPodSpec(spec: JsonObject): void {
  spec.securityContext ??= {};
  // Two names for one field: upstream shows both.
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
  const hostNetwork = spec.hostNetwork === true;
  for (const container of containersOf(spec)) {
    container.imagePullPolicy ||= pullPolicyOf(container.image);
    container.resources ??= {};
    if (hostNetwork) {
      for (const port of listAt(container, 'ports')) if (isJsonObject(port)) port.hostPort ||= port.containerPort;
    }
  }
  for (const volume of listAt(spec, 'volumes')) {
    if (isJsonObject(volume) && Object.keys(volume).every((field) => field === 'name')) volume.emptyDir = {};
  }
}

/** What is limited and not requested is requested at its limit. */
function requestLimits(resources: unknown): void {
  if (!isJsonObject(resources) || !isJsonObject(resources.limits)) return;
  const requests = isJsonObject(resources.requests) ? resources.requests : {};
  for (const [name, amount] of Object.entries(resources.limits)) requests[name] ??= amount;
  resources.requests = requests;
}

/** Always for the tag 'latest' (which is also what no tag means), else IfNotPresent. */
export function pullPolicyOf(image: unknown): 'Always' | 'IfNotPresent' {
  if (typeof image !== 'string') return 'IfNotPresent';
  const at = image.indexOf('@');
  const name = at < 0 ? image : image.slice(0, at);
  const tag = /:([\w.-]+)$/.exec(name)?.[1];
  if (tag === undefined) return at < 0 ? 'Always' : 'IfNotPresent';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}
