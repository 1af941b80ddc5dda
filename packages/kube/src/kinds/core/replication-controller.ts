import {
  atomic,
  type Infer,
  int32,
  int64,
  kind,
  map,
  mapList,
  object,
  required,
  string,
  time,
  withDefault,
} from '../../schema/index.ts';
import { podTemplateSpecSchema } from './pod.ts';

const CORE = 'io.k8s.api.core.v1';

export const replicationControllerSchema = kind(
  `${CORE}.ReplicationController`,
  'Keeps a number of pods; ReplicaSet replaces it.',
  {
    spec: object(`${CORE}.ReplicationControllerSpec`, 'Desired state.', {
      replicas: withDefault(int32('How many pods.'), 1),
      minReadySeconds: int32('How long ready before available.'),
      selector: atomic(map(string(), 'Labels of the pods.')),
      template: podTemplateSpecSchema,
    }),
    status: object(`${CORE}.ReplicationControllerStatus`, 'Observed state.', {
      replicas: required(int32('Pods.')),
      fullyLabeledReplicas: int32('Pods with all labels.'),
      readyReplicas: int32('Ready pods.'),
      availableReplicas: int32('Available pods.'),
      observedGeneration: int64('The generation this was judged from.'),
      conditions: mapList(
        'type',
        object(`${CORE}.ReplicationControllerCondition`, 'One aspect of the state.', {
          type: required(string('The aspect.')),
          status: required(string('Whether it holds.')),
          lastTransitionTime: time('Last change.'),
          reason: string('One word for programs.'),
          message: string('A sentence for people.'),
        }),
        'Details.',
      ),
    }),
  },
);
export interface ReplicationController extends Infer<typeof replicationControllerSchema> {}
