import type { EventRecorder, KubeClient, Node, OwnerReference } from '@ballast/kube';
import { SERVICE_BGP_STATUSES, SERVICE_L2_STATUSES } from '../resources/kinds.ts';
import { writeServiceStatus } from './service-statuses.ts';
import type { SpeakerObjects } from './speaker-objects.ts';

/** What this node does for one Service. */
export interface ServiceReport {
  /** Present when this node owns the address on the LAN: interfaces that the advertisements name, and those there are. */
  readonly layer2:
    | { readonly address: string; readonly wanted: readonly string[]; readonly present: readonly string[] }
    | undefined;
  /** Peers that are told, by name. */
  readonly peers: readonly string[];
}

type Topic = 'layer2' | 'bgp' | 'no interface';

/** Says what this node does for Services, in status objects and events of MetalLB. Events are written when something becomes true. */
export class ServiceReporter {
  readonly #client: KubeClient;
  readonly #objects: Pick<SpeakerObjects, 'services' | 'nodes' | 'l2Statuses' | 'bgpStatuses'>;
  readonly #recorder: EventRecorder;
  readonly #node: string;
  readonly #told = new Set<string>();

  constructor(options: {
    readonly client: KubeClient;
    readonly objects: Pick<SpeakerObjects, 'services' | 'nodes' | 'l2Statuses' | 'bgpStatuses'>;
    readonly recorder: EventRecorder;
    readonly node: string;
  }) {
    this.#client = options.client;
    this.#objects = options.objects;
    this.#recorder = options.recorder;
    this.#node = options.node;
  }

  async report(service: string, { layer2, peers }: ServiceReport): Promise<void> {
    const interfaces = layer2?.wanted.filter((name) => layer2.present.includes(name)) ?? [];
    const missing =
      layer2 !== undefined && layer2.wanted.length > 0 && interfaces.length === 0 && layer2.present.length > 0;
    const announced = layer2 !== undefined && !missing;
    this.#tell(
      service,
      'layer2',
      announced && { type: 'Normal', reason: 'nodeAssigned', message: this.#assigned('layer2') },
    );
    this.#tell(
      service,
      'bgp',
      peers.length > 0 && { type: 'Normal', reason: 'nodeAssigned', message: this.#assigned('bgp') },
    );
    this.#tell(
      service,
      'no interface',
      missing && {
        type: 'Warning',
        reason: 'announceFailed',
        message: `the interface specified by LB IP "${layer2.address}" doesn't exist on assigned node "${this.#node}" with protocol "layer2"`,
      },
    );
    const common = {
      client: this.#client,
      service,
      node: this.#node,
      owners: ownersOf(this.#objects.nodes.get(this.#node)),
    } as const;
    await writeServiceStatus({
      ...common,
      resource: SERVICE_L2_STATUSES,
      informer: this.#objects.l2Statuses,
      prefix: 'l2-',
      exclusive: true,
      wanted: announced ? { interfaces: interfaces.map((name) => ({ name })) } : undefined,
    });
    await writeServiceStatus({
      ...common,
      resource: SERVICE_BGP_STATUSES,
      informer: this.#objects.bgpStatuses,
      prefix: 'bgp-',
      exclusive: false,
      wanted: peers.length > 0 ? { peers: [...peers] } : undefined,
    });
  }

  #assigned(protocol: 'layer2' | 'bgp'): string {
    return `announcing from node "${this.#node}" with protocol "${protocol}"`;
  }

  /** Says a thing once, until it was untrue in between. */
  #tell(
    key: string,
    topic: Topic,
    event: false | { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string },
  ): void {
    const mark = `${key} ${topic}`;
    const service = this.#objects.services.get(key);
    if (!event || !service) {
      this.#told.delete(mark);
      return;
    }
    if (this.#told.has(mark)) return;
    this.#told.add(mark);
    this.#recorder.record({ object: { ...service, apiVersion: 'v1', kind: 'Service' }, ...event });
  }
}

/** A reference to the node, so that garbage collection takes what was said of a node that was removed for good. */
export function ownersOf(node: Node | undefined): OwnerReference[] {
  const { name, uid } = node?.metadata ?? {};
  return name === undefined || uid === undefined ? [] : [{ apiVersion: 'v1', kind: 'Node', name, uid }];
}
