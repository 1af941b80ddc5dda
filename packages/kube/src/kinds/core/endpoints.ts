import {
  about,
  atomic,
  type Infer,
  int32,
  kind,
  list,
  object,
  oneOf,
  required,
  string,
  withDefault,
} from '../../schema/index.ts';
import { objectReferenceSchema } from './reference.ts';

const CORE = 'io.k8s.api.core.v1';

const endpointAddressSchema = atomic(
  object(`${CORE}.EndpointAddress`, 'An address behind a Service.', {
    ip: required(string('The address.')),
    hostname: string('Host name of the endpoint.'),
    nodeName: string('Node of the endpoint.'),
    targetRef: objectReferenceSchema,
  }),
);
export interface EndpointAddress extends Infer<typeof endpointAddressSchema> {}

const endpointsPortSchema = atomic(
  object(`${CORE}.EndpointPort`, 'A port behind a Service.', {
    name: string('Name of the Service port.'),
    port: required(int32('The port.')),
    protocol: withDefault(oneOf(['SCTP', 'TCP', 'UDP'], 'TCP, UDP or SCTP.'), 'TCP'),
    appProtocol: string('Protocol of the application.'),
  }),
);
export interface EndpointsPort extends Infer<typeof endpointsPortSchema> {}

const endpointSubsetSchema = object(`${CORE}.EndpointSubset`, 'Addresses that share their ports.', {
  addresses: list(endpointAddressSchema, 'Ready addresses.'),
  notReadyAddresses: list(
    about(endpointAddressSchema, 'An address that is not ready.'),
    'Addresses that are not ready.',
  ),
  ports: list(endpointsPortSchema, 'Their ports.'),
});
export interface EndpointSubset extends Infer<typeof endpointSubsetSchema> {}

export const endpointsSchema = kind(`${CORE}.Endpoints`, 'The addresses behind a Service; EndpointSlice replaces it.', {
  subsets: list(endpointSubsetSchema, 'Groups of addresses.'),
});
export interface Endpoints extends Infer<typeof endpointsSchema> {}
