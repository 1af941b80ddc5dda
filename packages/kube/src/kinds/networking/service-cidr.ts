import { type Infer, kind, list, mapList, object, required, string } from '../../schema/index.ts';
import { conditionSchema } from '../meta/condition.ts';

const NETWORKING = 'io.k8s.api.networking.v1';

export const serviceCIDRSchema = kind(`${NETWORKING}.ServiceCIDR`, 'Addresses for Services.', {
  spec: object(`${NETWORKING}.ServiceCIDRSpec`, 'The addresses.', { cidrs: list(string(), 'One block per family.') }),
  status: object(`${NETWORKING}.ServiceCIDRStatus`, 'Observed state.', {
    conditions: mapList('type', conditionSchema, 'Details.'),
  }),
});
export interface ServiceCIDR extends Infer<typeof serviceCIDRSchema> {}

export const ipAddressSchema = kind(`${NETWORKING}.IPAddress`, 'An address that is in use.', {
  spec: object(`${NETWORKING}.IPAddressSpec`, 'Who uses it.', {
    parentRef: required(
      object(`${NETWORKING}.ParentReference`, 'The object that uses it.', {
        group: string('Group.'),
        resource: required(string('Resource.')),
        namespace: string('Namespace.'),
        name: required(string('Name.')),
      }),
    ),
  }),
});
export interface IPAddress extends Infer<typeof ipAddressSchema> {}
