import type { EventRecorder } from '@ballast/kube';
import { METALLB_GROUP } from '../resources/kinds.ts';
import type { ObjectProblem } from './configuration.ts';

/** Tells each problem of an object once, as a Warning event on it; again only after it was gone. */
export class ProblemEvents {
  readonly #recorder: EventRecorder;
  #told = new Set<string>();

  constructor(recorder: EventRecorder) {
    this.#recorder = recorder;
  }

  tell(problems: readonly ObjectProblem[]): void {
    const now = new Set<string>();
    for (const { object, kind, severity, message } of problems) {
      const key = JSON.stringify([object.metadata.uid ?? object.metadata.name, kind, message]);
      now.add(key);
      if (this.#told.has(key)) continue;
      const version = kind === 'BGPPeer' ? 'v1beta2' : 'v1beta1';
      this.#recorder.record({
        object: { apiVersion: `${METALLB_GROUP}/${version}`, kind, metadata: object.metadata },
        type: 'Warning',
        reason: severity === 'error' ? 'ConfigurationError' : 'NotImplemented',
        message,
      });
    }
    this.#told = now;
  }
}
