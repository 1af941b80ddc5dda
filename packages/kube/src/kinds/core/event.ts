import { type Infer, int32, kind, microTime, object, required, string, time } from '../../schema/index.ts';
import { objectReferenceSchema } from './reference.ts';

const CORE = 'io.k8s.api.core.v1';

const eventSourceSchema = object(`${CORE}.EventSource`, 'Who reports.', {
  component: string('The component.'),
  host: string('Its node.'),
});

const eventSeriesSchema = object(`${CORE}.EventSeries`, 'Repetition.', {
  count: int32('How often.'),
  lastObservedTime: microTime('Last time.'),
});

export const eventSchema = kind(`${CORE}.Event`, 'Something that happened to an object.', {
  involvedObject: required(objectReferenceSchema),
  reason: string('One word for programs.'),
  message: string('A sentence for people.'),
  source: eventSourceSchema,
  firstTimestamp: time('First time.'),
  lastTimestamp: time('Last time.'),
  count: int32('How often.'),
  type: string('Normal or Warning.'),
  eventTime: { ...microTime('First time, exactly.'), nullable: true },
  series: eventSeriesSchema,
  action: string('What was done.'),
  related: objectReferenceSchema,
  reportingComponent: string('The controller that reports.'),
  reportingInstance: string('Which instance of it.'),
});
export interface Event extends Infer<typeof eventSchema> {}
