import { type Infer, int32, kind, object, required, string } from '../../schema/index.ts';

const AUTOSCALING = 'io.k8s.api.autoscaling.v1';

export const scaleSchema = kind(`${AUTOSCALING}.Scale`, 'The size of something that can be scaled.', {
  spec: object(`${AUTOSCALING}.ScaleSpec`, 'Desired size.', { replicas: int32('How many.') }),
  status: object(`${AUTOSCALING}.ScaleStatus`, 'Observed size.', {
    replicas: required(int32('How many.')),
    selector: string('The pods, as a label selector in text form.'),
  }),
});
export interface Scale extends Infer<typeof scaleSchema> {}
