import { matchesLabels, type Service } from '@ballast/kube';

/**
 * Which Services select a pod, without asking all of them: each Service is filed under one pair of its selector, so a pod has to look
 * only at the Services filed under its own labels.
 */
export class ServiceIndex {
  readonly #byPair = new Map<string, Map<string, Service>>();

  put(key: string, service: Service): void {
    const pair = filingPair(service);
    if (pair === undefined) return;
    let services = this.#byPair.get(pair);
    if (!services) {
      services = new Map();
      this.#byPair.set(pair, services);
    }
    services.set(key, service);
  }

  remove(key: string, service: Service): void {
    const pair = filingPair(service);
    if (pair === undefined) return;
    const services = this.#byPair.get(pair);
    services?.delete(key);
    if (services?.size === 0) this.#byPair.delete(pair);
  }

  /** Keys of the Services of `namespace` that select these labels. */
  *selecting(namespace: string, labels: Readonly<Record<string, string>> | undefined): Iterable<string> {
    for (const [name, value] of Object.entries(labels ?? {})) {
      for (const [key, service] of this.#byPair.get(`${namespace} ${name}=${value}`) ?? []) {
        if (matchesLabels(service.spec?.selector, labels)) yield key;
      }
    }
  }
}

/** 'namespace name=value' of one pair of the selector, always the same one; undefined without a selector. */
export function filingPair(service: Service): string | undefined {
  const pair = Object.entries(service.spec?.selector ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .at(-1);
  return pair === undefined ? undefined : `${service.metadata.namespace} ${pair}`;
}
