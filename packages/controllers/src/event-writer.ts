import { apiVersionOf, type EventRecorder, type KubeObject, type Resource } from '@ballast/kube';

/** Writes events about objects that come from lists and watches, where apiVersion and kind may be missing. */
export class EventWriter {
  readonly #recorder: Pick<EventRecorder, 'record'>;

  constructor(recorder: Pick<EventRecorder, 'record'>) {
    this.#recorder = recorder;
  }

  normal(resource: Resource, object: KubeObject, reason: string, message: string): void {
    this.#record('Normal', resource, object, reason, message);
  }

  warning(resource: Resource, object: KubeObject, reason: string, message: string): void {
    this.#record('Warning', resource, object, reason, message);
  }

  #record(type: 'Normal' | 'Warning', resource: Resource, object: KubeObject, reason: string, message: string): void {
    const subject = { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind };
    this.#recorder.record({ object: subject, type, reason, message });
  }
}
