import type { Clock, Logger } from '@ballast/base';
import type { Informer, KubeClient, Pod, Service } from '@ballast/kube';
import type { CriClient } from '../cri/client.ts';
import type { ImagePuller } from '../image/ensure-image.ts';
import type { NodeMetrics } from '../metrics.ts';
import type { ObjectCache } from '../object-cache.ts';
import type { RuntimeReader } from '../runtime-reader.ts';
import type { VolumeDirs } from '../volume/pod-volumes.ts';
import type { ServiceAccountTokens } from '../volume/service-account-tokens.ts';
import type { ResolverConfig } from './resolver-config.ts';

export interface PodEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly fieldPath?: string;
}

/** What the workers of all pods share. */
export interface PodContext {
  readonly client: KubeClient;
  readonly cri: CriClient;
  readonly runtime: RuntimeReader;
  readonly images: ImagePuller;
  readonly objects: ObjectCache;
  readonly services: Informer<Service>;
  readonly tokens: ServiceAccountTokens;
  readonly metrics: NodeMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly recordEvent: (pod: Pod, event: PodEvent) => void;
  readonly nodeIps: readonly string[];
  readonly allocatable: { readonly milliCpu: number; readonly memoryBytes: number; readonly ephemeralBytes: number };
  readonly nodeMemoryBytes: number;
  readonly volumeDirs: VolumeDirs;
  /** Per pod: hosts file and termination logs. */
  readonly podsDir: string;
  readonly logDir: string;
  readonly seccompDir: string;
  readonly cgroupRoot: string;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly nodeResolver: ResolverConfig;
  readonly nodeHosts: string;
}
