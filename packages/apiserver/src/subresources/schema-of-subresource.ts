import type { Schema } from '@ballast/kube';
import type { ResourceCall } from '../endpoints/resource-endpoint.ts';

/** The schema of the bodies that this call's subresource takes, when it is a kind of its own. */
export function schemaOfSubresource({ resource, path }: ResourceCall): Schema | undefined {
  return resource.subresources.find(({ name }) => name === path.subresource)?.schema;
}
