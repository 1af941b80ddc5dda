/** What the generated containerd configuration depends on. */
export interface ContainerdSettings {
  /** Persistent data: images, snapshots, metadata. */
  readonly rootDir: string;
  /** Data that need not outlive a reboot: running containers. */
  readonly runDir: string;
  readonly socketPath: string;
  readonly cniConfDir: string;
  readonly cniBinDir: string;
  readonly sandboxImage: string;
  /** Folder with one sub-folder per registry (containerd's certs.d layout) for mirrors and own certificate authorities. */
  readonly registryConfigDir: string;
  readonly snapshotter: 'overlayfs' | 'native';
  /** True when this process may not lower oom_score_adj (no CAP_SYS_RESOURCE). */
  readonly restrictOomScoreAdj: boolean;
}

const quote = (text: string) => JSON.stringify(text);

/** Plugins that need kernel modules or folders that a Ballast node does not use; leaving them out makes the start quicker and quieter. */
const DISABLED_PLUGINS = ['aufs', 'btrfs', 'devmapper', 'zfs'].map((name) => `io.containerd.snapshotter.v1.${name}`);

/** The configuration file of containerd 1.6 to 1.7 (TOML, version 2). */
export function containerdConfig(settings: ContainerdSettings): string {
  const disabled = [
    ...DISABLED_PLUGINS,
    'io.containerd.tracing.processor.v1.otlp',
    'io.containerd.internal.v1.tracing',
  ];
  return `# Written by ballast at every start; changes here are lost.
version = 2
root = ${quote(settings.rootDir)}
state = ${quote(settings.runDir)}
oom_score = 0
disabled_plugins = [${disabled.map(quote).join(', ')}]

[grpc]
  address = ${quote(settings.socketPath)}
  max_recv_message_size = 16777216
  max_send_message_size = 16777216

[plugins."io.containerd.internal.v1.opt"]
  path = ${quote(`${settings.rootDir}/opt`)}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${quote(settings.sandboxImage)}
  restrict_oom_score_adj = ${settings.restrictOomScoreAdj}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = ${quote(settings.cniBinDir)}
  conf_dir = ${quote(settings.cniConfDir)}
  max_conf_num = 1

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = ${quote(settings.snapshotter)}
  default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = ${quote(settings.registryConfigDir)}
`;
}
