import { anyObject, type Infer, int64, kind, required } from '../../schema/index.ts';

export const controllerRevisionSchema = kind('io.k8s.api.apps.v1.ControllerRevision', 'A past state of a workload.', {
  data: anyObject('The state.'),
  revision: required(int64('Its number.')),
});
export interface ControllerRevision extends Infer<typeof controllerRevisionSchema> {}
