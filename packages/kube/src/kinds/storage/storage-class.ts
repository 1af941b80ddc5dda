import {
  atomic,
  boolean,
  type Infer,
  kind,
  list,
  map,
  object,
  oneOf,
  required,
  string,
  withDefault,
} from '../../schema/index.ts';

const CORE = 'io.k8s.api.core.v1';

const topologySelectorTermSchema = atomic(
  object(`${CORE}.TopologySelectorTerm`, 'Places that are allowed.', {
    matchLabelExpressions: list(
      object(`${CORE}.TopologySelectorLabelRequirement`, 'One condition.', {
        key: required(string('The label.')),
        values: required(list(string(), 'Its values.')),
      }),
      'The conditions.',
    ),
  }),
);

export const storageClassSchema = kind('io.k8s.api.storage.v1.StorageClass', 'A way to make volumes.', {
  provisioner: required(string('Who makes them.')),
  parameters: map(string(), 'Parameters for the provisioner.'),
  reclaimPolicy: withDefault(oneOf(['Delete', 'Recycle', 'Retain'], 'What happens without claim.'), 'Delete'),
  mountOptions: list(string(), 'Mount options.'),
  allowVolumeExpansion: boolean('Volumes can grow.'),
  volumeBindingMode: withDefault(oneOf(['Immediate', 'WaitForFirstConsumer'], 'When a claim is bound.'), 'Immediate'),
  allowedTopologies: list(topologySelectorTermSchema, 'Where volumes may be.'),
});
export interface StorageClass extends Infer<typeof storageClassSchema> {}
