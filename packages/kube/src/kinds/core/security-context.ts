import { boolean, type Infer, int64, list, object, oneOf, required, string } from '../../schema/index.ts';

const CORE = 'io.k8s.api.core.v1';

const seLinuxOptionsSchema = object(`${CORE}.SELinuxOptions`, 'SELinux labels.', {
  user: string('User label.'),
  role: string('Role label.'),
  type: string('Type label.'),
  level: string('Level label.'),
});
export interface SELinuxOptions extends Infer<typeof seLinuxOptionsSchema> {}

const windowsOptionsSchema = object(`${CORE}.WindowsSecurityContextOptions`, 'Settings for Windows containers.', {
  gmsaCredentialSpecName: string('Name of the GMSA credential spec.'),
  gmsaCredentialSpec: string('The GMSA credential spec itself.'),
  runAsUserName: string('Windows user of the entry point.'),
  hostProcess: boolean('Run as a host process.'),
});

const seccompProfileSchema = object(`${CORE}.SeccompProfile`, 'Which system calls are allowed.', {
  type: required(oneOf(['Localhost', 'RuntimeDefault', 'Unconfined'], 'Where the profile comes from.')),
  localhostProfile: string('File on the node, for type Localhost.'),
});
export interface SeccompProfile extends Infer<typeof seccompProfileSchema> {}

const appArmorProfileSchema = object(`${CORE}.AppArmorProfile`, 'AppArmor settings.', {
  type: required(oneOf(['Localhost', 'RuntimeDefault', 'Unconfined'], 'Where the profile comes from.')),
  localhostProfile: string('Profile loaded on the node, for type Localhost.'),
});
export interface AppArmorProfile extends Infer<typeof appArmorProfileSchema> {}

const sysctlSchema = object(`${CORE}.Sysctl`, 'A kernel parameter.', {
  name: required(string('Name of the parameter.')),
  value: required(string('Value of the parameter.')),
});
export interface Sysctl extends Infer<typeof sysctlSchema> {}

export const podSecurityContextSchema = object(
  `${CORE}.PodSecurityContext`,
  'Security settings for all containers of a pod.',
  {
    seLinuxOptions: seLinuxOptionsSchema,
    windowsOptions: windowsOptionsSchema,
    runAsUser: int64('UID of the entry points.'),
    runAsGroup: int64('GID of the entry points.'),
    runAsNonRoot: boolean('Refuse to start as root.'),
    supplementalGroups: list(int64(), 'Further groups of the first process.'),
    supplementalGroupsPolicy: oneOf(['Merge', 'Strict'], 'How groups of the image count.'),
    fsGroup: int64('Group that owns the volumes.'),
    sysctls: list(sysctlSchema, 'Namespaced kernel parameters.'),
    fsGroupChangePolicy: oneOf(['Always', 'OnRootMismatch'], 'When ownership of volumes is changed.'),
    seccompProfile: seccompProfileSchema,
    appArmorProfile: appArmorProfileSchema,
    seLinuxChangePolicy: oneOf(['Recursive', 'MountOption'], 'How SELinux labels get onto volumes.'),
  },
);
export interface PodSecurityContext extends Infer<typeof podSecurityContextSchema> {}

const capabilitiesSchema = object(`${CORE}.Capabilities`, 'Changes to the POSIX capabilities.', {
  add: list(string(), 'Added capabilities.'),
  drop: list(string(), 'Removed capabilities.'),
});
export interface Capabilities extends Infer<typeof capabilitiesSchema> {}

export const securityContextSchema = object(`${CORE}.SecurityContext`, 'Security settings of a container.', {
  capabilities: capabilitiesSchema,
  privileged: boolean('Like root on the node.'),
  seLinuxOptions: seLinuxOptionsSchema,
  windowsOptions: windowsOptionsSchema,
  runAsUser: int64('UID of the entry point.'),
  runAsGroup: int64('GID of the entry point.'),
  runAsNonRoot: boolean('Refuse to start as root.'),
  readOnlyRootFilesystem: boolean('No writes to the root filesystem.'),
  allowPrivilegeEscalation: boolean('A process may gain more privileges than its parent.'),
  procMount: oneOf(['Default', 'Unmasked'], 'How /proc is mounted.'),
  seccompProfile: seccompProfileSchema,
  appArmorProfile: appArmorProfileSchema,
});
export interface SecurityContext extends Infer<typeof securityContextSchema> {}

const linuxContainerUserSchema = object(`${CORE}.LinuxContainerUser`, 'Identity on Linux.', {
  uid: required(int64('UID.')),
  gid: required(int64('GID.')),
  supplementalGroups: list(int64(), 'Further groups.'),
});
export const containerUserSchema = object(`${CORE}.ContainerUser`, 'Who the first process runs as.', {
  linux: linuxContainerUserSchema,
});
