import { type Infer, map, mapList, object, quantity, required, string } from '../../schema/index.ts';

const CORE = 'io.k8s.api.core.v1';

/** Amounts by resource name: { cpu: '100m', memory: '64Mi' }. */
export const resourceListSchema = map(quantity(), 'Amounts by resource name.');
export type ResourceList = Infer<typeof resourceListSchema>;

const resourceClaimSchema = object(`${CORE}.ResourceClaim`, 'Refers to one of the claims of the pod.', {
  name: required(string('The entry in the pod that is meant.')),
  request: string('The request inside the claim.'),
});

export const resourceRequirementsSchema = object(
  `${CORE}.ResourceRequirements`,
  'What a container needs and may use.',
  {
    limits: map(quantity(), 'The most it may use.'),
    requests: map(quantity(), 'What is set aside for it.'),
    claims: mapList('name', resourceClaimSchema, 'Claims of the pod that this container uses.', { patch: 'replace' }),
  },
);
export interface ResourceRequirements extends Infer<typeof resourceRequirementsSchema> {}

export const volumeResourceRequirementsSchema = object(`${CORE}.VolumeResourceRequirements`, 'Size of a volume.', {
  limits: map(quantity(), 'The largest acceptable size.'),
  requests: map(quantity(), 'The smallest acceptable size.'),
});
export interface VolumeResourceRequirements extends Infer<typeof volumeResourceRequirementsSchema> {}
