import {
  about,
  atomic,
  boolean,
  type Infer,
  int32,
  kind,
  list,
  map,
  object,
  oneOf,
  required,
  setOf,
  string,
  withDefault,
} from '../../schema/index.ts';
import { objectReferenceSchema } from '../core/reference.ts';

const DISCOVERY = 'io.k8s.api.discovery.v1';

const endpointConditionsSchema = object(`${DISCOVERY}.EndpointConditions`, 'State of an endpoint.', {
  ready: boolean('Takes traffic; absent means yes.'),
  serving: boolean('Could take traffic, even while terminating.'),
  terminating: boolean('Is going away.'),
});
export interface EndpointConditions extends Infer<typeof endpointConditionsSchema> {}

const forZoneSchema = object(`${DISCOVERY}.ForZone`, 'A zone.', { name: required(string('Its name.')) });
const forNodeSchema = object(`${DISCOVERY}.ForNode`, 'A node.', { name: required(string('Its name.')) });
const endpointHintsSchema = object(`${DISCOVERY}.EndpointHints`, 'Who should use the endpoint.', {
  forZones: list(forZoneSchema, 'Zones.'),
  forNodes: list(forNodeSchema, 'Nodes.'),
});
export interface EndpointHints extends Infer<typeof endpointHintsSchema> {}

const endpointSchema = object(`${DISCOVERY}.Endpoint`, 'One backend.', {
  addresses: required(setOf(string(), 'Its addresses; only the first is used.')),
  conditions: endpointConditionsSchema,
  hostname: string('Its host name.'),
  targetRef: about(objectReferenceSchema, 'The pod.'),
  deprecatedTopology: map(string(), 'Not used any more.'),
  nodeName: string('Its node.'),
  zone: string('Its zone.'),
  hints: endpointHintsSchema,
});
export interface Endpoint extends Infer<typeof endpointSchema> {}

const endpointPortSchema = atomic(
  object(`${DISCOVERY}.EndpointPort`, 'A port of the backends.', {
    name: string('Name of the Service port.'),
    protocol: withDefault(oneOf(['SCTP', 'TCP', 'UDP'], 'TCP, UDP or SCTP.'), 'TCP'),
    port: int32('The port.'),
    appProtocol: string('Protocol of the application.'),
  }),
);
export interface EndpointPort extends Infer<typeof endpointPortSchema> {}

export const endpointSliceSchema = kind(`${DISCOVERY}.EndpointSlice`, 'Some of the backends of a Service.', {
  addressType: required(oneOf(['FQDN', 'IPv4', 'IPv6'], 'What the addresses are.')),
  endpoints: required(list(endpointSchema, 'The backends.')),
  ports: list(endpointPortSchema, 'Their ports.'),
});
export interface EndpointSlice extends Infer<typeof endpointSliceSchema> {}
