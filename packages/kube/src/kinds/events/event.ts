import { type Infer, int32, kind, microTime, object, required, string, time } from '../../schema/index.ts';
import { objectReferenceSchema } from '../core/reference.ts';

const EVENTS = 'io.k8s.api.events.v1';

export const eventV1Schema = kind(`${EVENTS}.Event`, 'Something that happened to an object.', {
  eventTime: { ...microTime('First time.'), nullable: true },
  series: object(`${EVENTS}.EventSeries`, 'Repetition.', {
    count: required(int32('How often.')),
    lastObservedTime: required(microTime('Last time.')),
  }),
  reportingController: string('The controller that reports.'),
  reportingInstance: string('Which instance of it.'),
  action: string('What was done.'),
  reason: string('One word for programs.'),
  regarding: objectReferenceSchema,
  related: objectReferenceSchema,
  note: string('A sentence for people.'),
  type: string('Normal or Warning.'),
  deprecatedSource: object('io.k8s.api.core.v1.EventSource', 'Who reports.', {
    component: string('The component.'),
    host: string('Its node.'),
  }),
  deprecatedFirstTimestamp: time('First time.'),
  deprecatedLastTimestamp: time('Last time.'),
  deprecatedCount: int32('How often.'),
});
export interface EventV1 extends Infer<typeof eventV1Schema> {}
