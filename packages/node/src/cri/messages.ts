import { message } from './protobuf.ts';

/*
 * The messages of CRI (runtime.v1) that the agent uses, with their field numbers. Names are those of the API in camel case; fields that
 * we neither send nor read are left out.
 */

const Int64Value = message({ value: [1, 'int64'] });
const UInt64Value = message({ value: [1, 'int64'] });

export const NamespaceMode = { pod: 0, container: 1, node: 2, target: 3 } as const;
export const SeccompProfileType = { runtimeDefault: 0, unconfined: 1, localhost: 2 } as const;
export const SandboxState = { ready: 0, notReady: 1 } as const;
export const ContainerState = { created: 0, running: 1, exited: 2, unknown: 3 } as const;
export const MountPropagation = { private: 0, hostToContainer: 1, bidirectional: 2 } as const;
export const PortProtocol = { TCP: 0, UDP: 1, SCTP: 2 } as const;

const DnsConfig = message({
  servers: [1, 'repeated', 'string'],
  searches: [2, 'repeated', 'string'],
  options: [3, 'repeated', 'string'],
});

const PortMapping = message({
  protocol: [1, 'int32'],
  containerPort: [2, 'int32'],
  hostPort: [3, 'int32'],
  hostIp: [4, 'string'],
});

export const Mount = message({
  containerPath: [1, 'string'],
  hostPath: [2, 'string'],
  readonly: [3, 'bool'],
  propagation: [5, 'int32'],
});

const NamespaceOption = message({
  network: [1, 'int32'],
  pid: [2, 'int32'],
  ipc: [3, 'int32'],
  targetId: [4, 'string'],
});

const SecurityProfile = message({ profileType: [1, 'int32'], localhostRef: [2, 'string'] });

const LinuxSandboxSecurityContext = message({
  namespaceOptions: [1, NamespaceOption],
  runAsUser: [3, Int64Value],
  readonlyRootfs: [4, 'bool'],
  supplementalGroups: [5, 'repeated', 'int64'],
  privileged: [6, 'bool'],
  runAsGroup: [8, Int64Value],
  seccomp: [9, SecurityProfile],
});

export const LinuxContainerResources = message({
  cpuPeriod: [1, 'int64'],
  cpuQuota: [2, 'int64'],
  cpuShares: [3, 'int64'],
  memoryLimitInBytes: [4, 'int64'],
  oomScoreAdj: [5, 'int64'],
  cpusetCpus: [6, 'string'],
  cpusetMems: [7, 'string'],
  unified: [9, 'map'],
});

const LinuxPodSandboxConfig = message({
  cgroupParent: [1, 'string'],
  securityContext: [2, LinuxSandboxSecurityContext],
  sysctls: [3, 'map'],
});

const PodSandboxMetadata = message({
  name: [1, 'string'],
  uid: [2, 'string'],
  namespace: [3, 'string'],
  attempt: [4, 'int32'],
});

export const PodSandboxConfig = message({
  metadata: [1, PodSandboxMetadata],
  hostname: [2, 'string'],
  logDirectory: [3, 'string'],
  dnsConfig: [4, DnsConfig],
  portMappings: [5, 'repeated', PortMapping],
  labels: [6, 'map'],
  annotations: [7, 'map'],
  linux: [8, LinuxPodSandboxConfig],
});

const PodIp = message({ ip: [1, 'string'] });
const PodSandboxNetworkStatus = message({ ip: [1, 'string'], additionalIps: [2, 'repeated', PodIp] });

export const PodSandboxStatus = message({
  id: [1, 'string'],
  metadata: [2, PodSandboxMetadata],
  state: [3, 'int32'],
  createdAt: [4, 'bigint'],
  network: [5, PodSandboxNetworkStatus],
  labels: [7, 'map'],
  annotations: [8, 'map'],
});

export const PodSandbox = message({
  id: [1, 'string'],
  metadata: [2, PodSandboxMetadata],
  state: [3, 'int32'],
  createdAt: [4, 'bigint'],
  labels: [5, 'map'],
  annotations: [6, 'map'],
});

export const ImageSpec = message({ image: [1, 'string'], annotations: [2, 'map'], userSpecifiedImage: [18, 'string'] });

const ContainerMetadata = message({ name: [1, 'string'], attempt: [2, 'int32'] });
const KeyValue = message({ key: [1, 'string'], value: [2, 'string'] });
const Device = message({ containerPath: [1, 'string'], hostPath: [2, 'string'], permissions: [3, 'string'] });
const Capability = message({
  addCapabilities: [1, 'repeated', 'string'],
  dropCapabilities: [2, 'repeated', 'string'],
});

const LinuxContainerSecurityContext = message({
  capabilities: [1, Capability],
  privileged: [2, 'bool'],
  namespaceOptions: [3, NamespaceOption],
  runAsUser: [5, Int64Value],
  runAsUsername: [6, 'string'],
  readonlyRootfs: [7, 'bool'],
  supplementalGroups: [8, 'repeated', 'int64'],
  noNewPrivs: [11, 'bool'],
  runAsGroup: [12, Int64Value],
  maskedPaths: [13, 'repeated', 'string'],
  readonlyPaths: [14, 'repeated', 'string'],
  seccomp: [15, SecurityProfile],
});

const LinuxContainerConfig = message({
  resources: [1, LinuxContainerResources],
  securityContext: [2, LinuxContainerSecurityContext],
});

export const ContainerConfig = message({
  metadata: [1, ContainerMetadata],
  image: [2, ImageSpec],
  command: [3, 'repeated', 'string'],
  args: [4, 'repeated', 'string'],
  workingDir: [5, 'string'],
  envs: [6, 'repeated', KeyValue],
  mounts: [7, 'repeated', Mount],
  devices: [8, 'repeated', Device],
  labels: [9, 'map'],
  annotations: [10, 'map'],
  logPath: [11, 'string'],
  stdin: [12, 'bool'],
  stdinOnce: [13, 'bool'],
  tty: [14, 'bool'],
  linux: [15, LinuxContainerConfig],
});

export const Container = message({
  id: [1, 'string'],
  podSandboxId: [2, 'string'],
  metadata: [3, ContainerMetadata],
  image: [4, ImageSpec],
  imageRef: [5, 'string'],
  state: [6, 'int32'],
  createdAt: [7, 'bigint'],
  labels: [8, 'map'],
  annotations: [9, 'map'],
});

export const ContainerStatus = message({
  id: [1, 'string'],
  metadata: [2, ContainerMetadata],
  state: [3, 'int32'],
  createdAt: [4, 'bigint'],
  startedAt: [5, 'bigint'],
  finishedAt: [6, 'bigint'],
  exitCode: [7, 'int32'],
  image: [8, ImageSpec],
  imageRef: [9, 'string'],
  reason: [10, 'string'],
  message: [11, 'string'],
  labels: [12, 'map'],
  annotations: [13, 'map'],
  mounts: [14, 'repeated', Mount],
  logPath: [15, 'string'],
});

export const Image = message({
  id: [1, 'string'],
  repoTags: [2, 'repeated', 'string'],
  repoDigests: [3, 'repeated', 'string'],
  size: [4, 'int64'],
  uid: [5, Int64Value],
  username: [6, 'string'],
  pinned: [8, 'bool'],
});

const AuthConfig = message({
  username: [1, 'string'],
  password: [2, 'string'],
  auth: [3, 'string'],
  serverAddress: [4, 'string'],
  identityToken: [5, 'string'],
  registryToken: [6, 'string'],
});

const RuntimeCondition = message({
  type: [1, 'string'],
  status: [2, 'bool'],
  reason: [3, 'string'],
  message: [4, 'string'],
});

const CpuUsage = message({ timestamp: [1, 'bigint'], usageCoreNanoSeconds: [2, UInt64Value] });
const MemoryUsage = message({
  timestamp: [1, 'bigint'],
  workingSetBytes: [2, UInt64Value],
  availableBytes: [3, UInt64Value],
  usageBytes: [4, UInt64Value],
  rssBytes: [5, UInt64Value],
});
const FilesystemIdentifier = message({ mountpoint: [1, 'string'] });
const FilesystemUsage = message({
  timestamp: [1, 'bigint'],
  fsId: [2, FilesystemIdentifier],
  usedBytes: [3, UInt64Value],
  inodesUsed: [4, UInt64Value],
});
const ContainerAttributes = message({
  id: [1, 'string'],
  metadata: [2, ContainerMetadata],
  labels: [3, 'map'],
});
export const ContainerStats = message({
  attributes: [1, ContainerAttributes],
  cpu: [2, CpuUsage],
  memory: [3, MemoryUsage],
  writableLayer: [4, FilesystemUsage],
});

const Empty = message({});
const SandboxId = message({ podSandboxId: [1, 'string'] });
const ContainerId = message({ containerId: [1, 'string'] });
const Url = message({ url: [1, 'string'] });

/** Every call: service, request and response. The key is the method's name with a small first letter. */
export const METHODS = {
  version: {
    service: 'RuntimeService',
    request: message({ version: [1, 'string'] }),
    response: message({
      version: [1, 'string'],
      runtimeName: [2, 'string'],
      runtimeVersion: [3, 'string'],
      runtimeApiVersion: [4, 'string'],
    }),
  },
  status: {
    service: 'RuntimeService',
    request: message({ verbose: [1, 'bool'] }),
    response: message({
      status: [1, message({ conditions: [1, 'repeated', RuntimeCondition] })],
      info: [2, 'map'],
    }),
  },
  runPodSandbox: {
    service: 'RuntimeService',
    request: message({ config: [1, PodSandboxConfig], runtimeHandler: [2, 'string'] }),
    response: SandboxId,
  },
  stopPodSandbox: { service: 'RuntimeService', request: SandboxId, response: Empty },
  removePodSandbox: { service: 'RuntimeService', request: SandboxId, response: Empty },
  podSandboxStatus: {
    service: 'RuntimeService',
    request: message({ podSandboxId: [1, 'string'], verbose: [2, 'bool'] }),
    response: message({ status: [1, PodSandboxStatus], info: [2, 'map'] }),
  },
  listPodSandbox: {
    service: 'RuntimeService',
    request: message({ filter: [1, message({ id: [1, 'string'], labelSelector: [3, 'map'] })] }),
    response: message({ items: [1, 'repeated', PodSandbox] }),
  },
  createContainer: {
    service: 'RuntimeService',
    request: message({
      podSandboxId: [1, 'string'],
      config: [2, ContainerConfig],
      sandboxConfig: [3, PodSandboxConfig],
    }),
    response: ContainerId,
  },
  startContainer: { service: 'RuntimeService', request: ContainerId, response: Empty },
  stopContainer: {
    service: 'RuntimeService',
    request: message({ containerId: [1, 'string'], timeout: [2, 'int64'] }),
    response: Empty,
  },
  removeContainer: { service: 'RuntimeService', request: ContainerId, response: Empty },
  listContainers: {
    service: 'RuntimeService',
    request: message({
      filter: [1, message({ id: [1, 'string'], podSandboxId: [3, 'string'], labelSelector: [4, 'map'] })],
    }),
    response: message({ containers: [1, 'repeated', Container] }),
  },
  containerStatus: {
    service: 'RuntimeService',
    request: message({ containerId: [1, 'string'], verbose: [2, 'bool'] }),
    response: message({ status: [1, ContainerStatus], info: [2, 'map'] }),
  },
  updateContainerResources: {
    service: 'RuntimeService',
    request: message({ containerId: [1, 'string'], linux: [2, LinuxContainerResources] }),
    response: Empty,
  },
  reopenContainerLog: { service: 'RuntimeService', request: ContainerId, response: Empty },
  execSync: {
    service: 'RuntimeService',
    request: message({ containerId: [1, 'string'], cmd: [2, 'repeated', 'string'], timeout: [3, 'int64'] }),
    response: message({ stdout: [1, 'bytes'], stderr: [2, 'bytes'], exitCode: [3, 'int32'] }),
  },
  exec: {
    service: 'RuntimeService',
    request: message({
      containerId: [1, 'string'],
      cmd: [2, 'repeated', 'string'],
      tty: [3, 'bool'],
      stdin: [4, 'bool'],
      stdout: [5, 'bool'],
      stderr: [6, 'bool'],
    }),
    response: Url,
  },
  attach: {
    service: 'RuntimeService',
    request: message({
      containerId: [1, 'string'],
      stdin: [2, 'bool'],
      tty: [3, 'bool'],
      stdout: [4, 'bool'],
      stderr: [5, 'bool'],
    }),
    response: Url,
  },
  portForward: {
    service: 'RuntimeService',
    request: message({ podSandboxId: [1, 'string'], port: [2, 'repeated', 'int32'] }),
    response: Url,
  },
  listContainerStats: {
    service: 'RuntimeService',
    request: message({
      filter: [1, message({ id: [1, 'string'], podSandboxId: [2, 'string'], labelSelector: [3, 'map'] })],
    }),
    response: message({ stats: [1, 'repeated', ContainerStats] }),
  },
  listImages: {
    service: 'ImageService',
    request: Empty,
    response: message({ images: [1, 'repeated', Image] }),
  },
  imageStatus: {
    service: 'ImageService',
    request: message({ image: [1, ImageSpec], verbose: [2, 'bool'] }),
    response: message({ image: [1, Image], info: [2, 'map'] }),
  },
  pullImage: {
    service: 'ImageService',
    request: message({ image: [1, ImageSpec], auth: [2, AuthConfig], sandboxConfig: [3, PodSandboxConfig] }),
    response: message({ imageRef: [1, 'string'] }),
  },
  removeImage: { service: 'ImageService', request: message({ image: [1, ImageSpec] }), response: Empty },
  imageFsInfo: {
    service: 'ImageService',
    request: Empty,
    response: message({ imageFilesystems: [1, 'repeated', FilesystemUsage] }),
  },
} as const;
