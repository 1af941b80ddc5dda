import type { WriteContext } from '../operations/write-context.ts';
import type { WriteHooks } from '../resources/definition.ts';
import { allocateFor, releaseAll } from './allocate.ts';
import { dropFieldsOfOldType, keepAllocated } from './carry-over.ts';
import { type FamilyName, familyName, settleFamilies, validateFamilies } from './families.ts';

/** Addresses, node ports and families of Services: what depends on the cluster and on the Service as it was. */
export const serviceHooks: WriteHooks = {
  prepareForCreate(service, context) {
    service.status = { loadBalancer: {} };
    settleFamilies(service, clusterFamily(context));
  },
  prepareForUpdate(service, old, context) {
    if (context.subresource !== '') return;
    keepAllocated(service, old);
    dropFieldsOfOldType(service, old);
    settleFamilies(service, clusterFamily(context));
  },
  validate(service, _old, context) {
    if (context.subresource !== '') return [];
    return validateFamilies(service, clusterFamily(context));
  },
  allocate: (service, old, context) => {
    if (context.subresource !== '' || context.operation === 'delete') return undefined;
    return allocateFor(service, old, context);
  },
  afterDelete: releaseAll,
};

function clusterFamily({ kernel }: WriteContext): FamilyName {
  return familyName(kernel.pools.cidr.ip.family);
}
