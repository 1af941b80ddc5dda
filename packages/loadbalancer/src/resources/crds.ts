import type { CustomResourceDefinition } from '@ballast/kube';
import { METALLB_GROUP } from './kinds.ts';
import {
  type Column,
  flag,
  integer,
  labelSelector,
  labelSelectors,
  listOf,
  type OpenApi,
  structure,
  text,
  texts,
  wideInteger,
} from './schema-parts.ts';

interface Version {
  readonly name: string;
  readonly storage: boolean;
  readonly deprecationWarning?: string;
  readonly properties: Readonly<Record<string, OpenApi>>;
  readonly required?: readonly string[];
  readonly columns?: readonly Column[];
}

function definition(kind: string, plural: string, versions: readonly Version[]): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${METALLB_GROUP}` },
    spec: {
      group: METALLB_GROUP,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      versions: versions.map((version) => ({
        name: version.name,
        served: true,
        storage: version.storage,
        ...(version.deprecationWarning === undefined
          ? {}
          : { deprecated: true, deprecationWarning: version.deprecationWarning }),
        schema: {
          openAPIV3Schema: structure(
            `${kind} of MetalLB.`,
            {
              apiVersion: { type: 'string' },
              kind: { type: 'string' },
              metadata: { type: 'object' },
              ...version.properties,
            },
            version.required,
          ) as Record<string, unknown>,
        },
        subresources: { status: {} },
        additionalPrinterColumns: (version.columns ?? []).map((column) => ({ ...column })),
      })),
    },
  };
}

const emptyStatus = structure('Observed state.', {});

const poolSelection = {
  ipAddressPools: texts('Pools to advertise, by name.'),
  ipAddressPoolSelectors: labelSelectors('Pools to advertise, by label. Neither names nor selectors: all pools.'),
  nodeSelectors: labelSelectors('Nodes that announce; empty means all.'),
} as const;

const IP_ADDRESS_POOL = definition('IPAddressPool', 'ipaddresspools', [
  {
    name: 'v1beta1',
    storage: true,
    required: ['spec'],
    columns: [
      { name: 'Auto Assign', jsonPath: '.spec.autoAssign', type: 'boolean' },
      { name: 'Avoid Buggy IPs', jsonPath: '.spec.avoidBuggyIPs', type: 'boolean' },
      { name: 'Addresses', jsonPath: '.spec.addresses', type: 'string' },
    ],
    properties: {
      spec: structure(
        'Addresses for Services.',
        {
          addresses: texts("Prefixes ('10.0.0.0/24') and ranges ('10.0.0.1-10.0.0.9')."),
          autoAssign: flag('Whether Services get addresses from here without asking for the pool.', { default: true }),
          avoidBuggyIPs: flag('Keep addresses that end in .0 and .255.', { default: false }),
          serviceAllocation: structure('Limits the pool to some Services.', {
            priority: integer('Lower numbers are used first; 0 and absent last.'),
            namespaces: texts('Namespaces by name.'),
            namespaceSelectors: labelSelectors('Namespaces by label.'),
            serviceSelectors: labelSelectors('Services by label.'),
          }),
        },
        ['addresses'],
      ),
      status: structure(
        'How full it is.',
        {
          assignedIPv4: wideInteger('IPv4 addresses in use.'),
          assignedIPv6: wideInteger('IPv6 addresses in use.'),
          availableIPv4: wideInteger('IPv4 addresses still free.'),
          availableIPv6: wideInteger('IPv6 addresses still free.'),
        },
        ['assignedIPv4', 'assignedIPv6', 'availableIPv4', 'availableIPv6'],
      ),
    },
  },
]);

const L2_ADVERTISEMENT = definition('L2Advertisement', 'l2advertisements', [
  {
    name: 'v1beta1',
    storage: true,
    columns: [
      { name: 'IPAddressPools', jsonPath: '.spec.ipAddressPools', type: 'string' },
      { name: 'IPAddressPool Selectors', jsonPath: '.spec.ipAddressPoolSelectors', type: 'string' },
      { name: 'Interfaces', jsonPath: '.spec.interfaces', type: 'string' },
      { name: 'Node Selectors', jsonPath: '.spec.nodeSelectors', type: 'string', priority: 10 },
    ],
    properties: {
      spec: structure('Announce pools by ARP and NDP.', {
        ...poolSelection,
        interfaces: texts('Interfaces to announce on; empty means all that lead to a LAN.'),
        serviceSelectors: labelSelectors('Services to announce; empty means all.'),
        preferredNodeSelectors: listOf(
          structure(
            'A preference for nodes.',
            {
              weight: integer('1 to 100; the weights of all matching preferences are summed.', {
                minimum: 1,
                maximum: 100,
              }),
              preference: labelSelector('The nodes; an empty selector means all.'),
            },
            ['preference', 'weight'],
          ),
          'Nodes that should announce rather than others.',
        ),
      }),
      status: emptyStatus,
    },
  },
]);

const BGP_ADVERTISEMENT = definition('BGPAdvertisement', 'bgpadvertisements', [
  {
    name: 'v1beta1',
    storage: true,
    columns: [
      { name: 'IPAddressPools', jsonPath: '.spec.ipAddressPools', type: 'string' },
      { name: 'IPAddressPool Selectors', jsonPath: '.spec.ipAddressPoolSelectors', type: 'string' },
      { name: 'Peers', jsonPath: '.spec.peers', type: 'string' },
      { name: 'Node Selectors', jsonPath: '.spec.nodeSelectors', type: 'string', priority: 10 },
    ],
    properties: {
      spec: {
        ...structure('Announce pools by BGP.', {
          ...poolSelection,
          aggregationLength: integer('Length of the IPv4 prefixes to announce.', { default: 32, minimum: 1 }),
          aggregationLengthV6: integer('Length of the IPv6 prefixes to announce.', { default: 128 }),
          localPref: integer('LOCAL_PREF for internal peers.'),
          communities: texts("Communities: 'a:b', 'large:a:b:c', or a name of a Community object."),
          peers: texts('Peers to announce to, by name; empty means all.'),
          serviceSelectors: labelSelectors('Services to announce; empty means all. Only with host routes.'),
        }),
        'x-kubernetes-validations': [
          {
            rule: '!has(self.serviceSelectors) || size(self.serviceSelectors) == 0 || (self.aggregationLength == 32 && self.aggregationLengthV6 == 128)',
            message: 'serviceSelectors and aggregationLength are mutually exclusive',
          },
        ],
      },
      status: emptyStatus,
    },
  },
]);

const peerV1 = {
  myASN: wideInteger('Our AS number.', { minimum: 0, maximum: 4_294_967_295 }),
  peerASN: wideInteger("The peer's AS number.", { minimum: 0, maximum: 4_294_967_295 }),
  peerAddress: text('Address of the peer.'),
  sourceAddress: text('Our address for the session.'),
  holdTime: text('Hold time, as 90s; 0 or at least 3s.'),
  keepaliveTime: text('Keepalive time, at most the hold time.'),
  routerID: text('BGP identifier.'),
  password: text('TCP MD5 password.'),
  bfdProfile: text('Name of a BFDProfile.'),
  ebgpMultiHop: flag('The peer is more than one hop away.'),
} as const;

const legacyNodeSelectors = listOf(
  structure('Labels and terms; all must hold.', {
    matchLabels: { type: 'object', additionalProperties: { type: 'string' } },
    matchExpressions: listOf(
      structure(
        'One term.',
        {
          key: text('Label key.'),
          operator: text('Operator.'),
          values: listOf({ type: 'string' }, 'Values.', { minItems: 1 }),
        },
        ['key', 'operator', 'values'],
      ),
      'Terms.',
    ),
  }),
  'Nodes that peer; empty means all.',
);

const peerColumns: readonly Column[] = [
  { name: 'Address', jsonPath: '.spec.peerAddress', type: 'string' },
  { name: 'ASN', jsonPath: '.spec.peerASN', type: 'string' },
  { name: 'BFD Profile', jsonPath: '.spec.bfdProfile', type: 'string' },
  { name: 'Multi Hops', jsonPath: '.spec.ebgpMultiHop', type: 'string' },
];

const BGP_PEER = definition('BGPPeer', 'bgppeers', [
  {
    name: 'v1beta1',
    storage: false,
    deprecationWarning: 'v1beta1 is deprecated, please use v1beta2',
    columns: peerColumns,
    properties: {
      spec: structure(
        'A BGP neighbour.',
        {
          ...peerV1,
          peerPort: integer('TCP port of the peer.', { minimum: 0, maximum: 16384 }),
          nodeSelectors: legacyNodeSelectors,
        },
        ['myASN', 'peerASN', 'peerAddress'],
      ),
      status: emptyStatus,
    },
  },
  {
    name: 'v1beta2',
    storage: true,
    columns: peerColumns,
    properties: {
      spec: structure(
        'A BGP neighbour.',
        {
          ...peerV1,
          peerPort: integer('TCP port of the peer.', { default: 179, minimum: 1, maximum: 16384 }),
          dynamicASN: text("Take the peer's AS number from its OPEN, if it is one of this sort.", {
            enum: ['internal', 'external'],
          }),
          localASN: wideInteger('AS number that the peer sees instead of myASN.', {
            minimum: 1,
            maximum: 4_294_967_295,
          }),
          interface: text('Peer with the neighbour on this interface, without an address.'),
          connectTime: {
            ...text('Time between attempts to connect, in whole seconds from 1s to 65535s.'),
            'x-kubernetes-validations': [
              {
                rule: 'duration(self).getSeconds() >= 1 && duration(self).getSeconds() <= 65535',
                message: 'connect time should be between 1 seconds to 65535',
              },
              {
                rule: 'duration(self).getMilliseconds() % 1000 == 0',
                message: 'connect time should contain a whole number of seconds',
              },
            ],
          },
          nodeSelectors: labelSelectors('Nodes that peer; empty means all.'),
          passwordSecret: {
            ...structure('Secret of type kubernetes.io/basic-auth whose key password is the TCP MD5 password.', {
              name: text('Name of the Secret.'),
              namespace: text('Namespace of the Secret.'),
            }),
            'x-kubernetes-map-type': 'atomic',
          },
          enableGracefulRestart: flag('Keep routes while the speaker restarts.', {
            'x-kubernetes-validations': [
              { rule: 'self == oldSelf', message: 'EnableGracefulRestart cannot be changed after creation' },
            ],
          }),
          vrf: text('Linux VRF of the session.'),
          dualStackAddressFamily: flag('Carry both families on the session.', { default: false }),
          disableMP: flag('Deprecated, has no effect.', { default: false }),
        },
        ['myASN'],
      ),
      status: emptyStatus,
    },
  },
]);

const milliseconds = (description: string): OpenApi => integer(description, { minimum: 10, maximum: 60000 });

const BFD_PROFILE = definition('BFDProfile', 'bfdprofiles', [
  {
    name: 'v1beta1',
    storage: true,
    columns: [
      { name: 'Passive Mode', jsonPath: '.spec.passiveMode', type: 'boolean' },
      { name: 'Transmit Interval', jsonPath: '.spec.transmitInterval', type: 'integer' },
      { name: 'Receive Interval', jsonPath: '.spec.receiveInterval', type: 'integer' },
      { name: 'Multiplier', jsonPath: '.spec.detectMultiplier', type: 'integer' },
    ],
    properties: {
      spec: structure('Settings of BFD sessions.', {
        receiveInterval: milliseconds('Smallest interval at which we receive, in ms.'),
        transmitInterval: milliseconds('Interval at which we send, in ms.'),
        echoInterval: milliseconds('Interval of echo packets, in ms.'),
        detectMultiplier: integer('Packets that may be lost.', { minimum: 2, maximum: 255 }),
        echoMode: flag('Send echo packets.'),
        passiveMode: flag('Wait for the peer to begin.'),
        minimumTtl: integer('Smallest TTL accepted on multihop sessions.', { minimum: 1, maximum: 254 }),
      }),
      status: emptyStatus,
    },
  },
]);

const COMMUNITY = definition('Community', 'communities', [
  {
    name: 'v1beta1',
    storage: true,
    properties: {
      spec: structure('Names for communities.', {
        communities: listOf(
          structure('One name.', { name: text('The name.'), value: text("'a:b' or 'large:a:b:c'.") }),
          'The names.',
        ),
      }),
      status: emptyStatus,
    },
  },
]);

const frozen = (description: string): OpenApi =>
  text(description, { 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'Value is immutable' }] });

const serviceStatus = {
  node: frozen('Node that announces.'),
  serviceName: frozen('Name of the Service.'),
  serviceNamespace: frozen('Namespace of the Service.'),
} as const;

const serviceColumns = (node: string): readonly Column[] => [
  { name: node, jsonPath: '.status.node', type: 'string' },
  { name: 'Service Name', jsonPath: '.status.serviceName', type: 'string' },
  { name: 'Service Namespace', jsonPath: '.status.serviceNamespace', type: 'string' },
];

const SERVICE_L2_STATUS = definition('ServiceL2Status', 'servicel2statuses', [
  {
    name: 'v1beta1',
    storage: true,
    columns: serviceColumns('Allocated Node'),
    properties: {
      spec: structure('Empty.', {}),
      status: structure('Who announces the Service.', {
        ...serviceStatus,
        interfaces: listOf(structure('An interface.', { name: text('Its name.') }), 'Interfaces; empty means all.'),
      }),
    },
  },
]);

const SERVICE_BGP_STATUS = definition('ServiceBGPStatus', 'servicebgpstatuses', [
  {
    name: 'v1beta1',
    storage: true,
    columns: serviceColumns('Node'),
    properties: {
      spec: structure('Empty.', {}),
      status: structure('To whom the node announces the Service.', { ...serviceStatus, peers: texts('The peers.') }),
    },
  },
]);

const CONFIGURATION_STATE = definition('ConfigurationState', 'configurationstates', [
  {
    name: 'v1beta1',
    storage: true,
    columns: [
      { name: 'Result', jsonPath: '.status.result', type: 'string' },
      { name: 'ErrorSummary', jsonPath: '.status.errorSummary', type: 'string' },
      { name: 'Age', jsonPath: '.metadata.creationTimestamp', type: 'date' },
    ],
    properties: {
      status: structure('Whether the configuration is understood.', {
        result: text('Valid, Invalid or Unknown.', { enum: ['Valid', 'Invalid', 'Unknown'] }),
        errorSummary: text('All that is wrong, a line each.'),
        conditions: listOf(
          structure(
            'One aspect.',
            {
              type: text('The aspect.'),
              status: text('Whether it holds.', { enum: ['True', 'False', 'Unknown'] }),
              reason: text('One word for programs.'),
              message: text('A sentence for people.'),
              lastTransitionTime: text('Last change.', { format: 'date-time' }),
              observedGeneration: wideInteger('Generation judged.', { minimum: 0 }),
            },
            ['lastTransitionTime', 'message', 'reason', 'status', 'type'],
          ),
          'Details.',
          { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] },
        ),
      }),
    },
  },
]);

/** The manifests of all kinds, to be created as they are. */
export const METALLB_CRDS: readonly CustomResourceDefinition[] = [
  IP_ADDRESS_POOL,
  L2_ADVERTISEMENT,
  BGP_ADVERTISEMENT,
  BGP_PEER,
  BFD_PROFILE,
  COMMUNITY,
  SERVICE_L2_STATUS,
  SERVICE_BGP_STATUS,
  CONFIGURATION_STATE,
];
