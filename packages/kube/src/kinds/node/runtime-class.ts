import { atomic, type Infer, kind, list, map, object, quantity, required, string } from '../../schema/index.ts';
import { tolerationSchema } from '../core/affinity.ts';

const NODE = 'io.k8s.api.node.v1';

export const runtimeClassSchema = kind(`${NODE}.RuntimeClass`, 'A way to run pods.', {
  handler: required(string('The configuration of the runtime.')),
  overhead: object(`${NODE}.Overhead`, 'What the runtime itself needs.', {
    podFixed: map(quantity(), 'For each pod.'),
  }),
  scheduling: object(`${NODE}.Scheduling`, 'Nodes that have it.', {
    nodeSelector: atomic(map(string(), 'Labels of the nodes.')),
    tolerations: list(tolerationSchema, 'Taints of the nodes.'),
  }),
});
export interface RuntimeClass extends Infer<typeof runtimeClassSchema> {}
