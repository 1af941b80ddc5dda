import type { Controller } from './controller.ts';
import { daemonSetController } from './daemon-set/controller.ts';
import { deploymentController } from './deployment/controller.ts';
import { endpointSliceController } from './endpoint-slice/controller.ts';
import { endpointSliceMirroringController } from './endpoint-slice-mirroring/controller.ts';
import { endpointsController } from './endpoints/controller.ts';
import { garbageCollectorController } from './garbage-collector/controller.ts';
import { namespaceController } from './namespace/controller.ts';
import { nodeIpamController } from './node-ipam/controller.ts';
import { nodeLifecycleController } from './node-lifecycle/controller.ts';
import { podGcController } from './pod-gc/controller.ts';
import { replicaSetController } from './replica-set/controller.ts';
import { rootCaController } from './root-ca/controller.ts';
import { serviceAccountController } from './service-account/controller.ts';
import { taintEvictionController } from './taint-eviction/controller.ts';

/**
 * All control loops, in the order in which they start: first what keeps traffic away from what does not work, then what new namespaces
 * and nodes wait for, then workloads, and cleaning up last. A new one is a folder and a line here.
 */
export const CONTROLLERS: readonly Controller[] = [
  endpointSliceController,
  nodeLifecycleController,
  taintEvictionController,
  serviceAccountController,
  rootCaController,
  nodeIpamController,
  replicaSetController,
  deploymentController,
  daemonSetController,
  endpointsController,
  endpointSliceMirroringController,
  podGcController,
  namespaceController,
  garbageCollectorController,
];
