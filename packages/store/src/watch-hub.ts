import type { StoreEvent, WatchOptions } from './store.ts';

/** Hands committed events to whoever watches. */
export class WatchHub {
  readonly #watches = new Set<WatchOptions>();

  add(watch: WatchOptions): Disposable {
    this.#watches.add(watch);
    return { [Symbol.dispose]: () => this.#watches.delete(watch) };
  }

  publish(events: readonly StoreEvent[]): void {
    if (events.length === 0) return;
    for (const watch of this.#watches) {
      const wanted =
        watch.prefix === '' ? events : events.filter((event) => keyOfEvent(event).startsWith(watch.prefix));
      if (wanted.length > 0) watch.onEvents(wanted);
    }
  }

  clear(): void {
    this.#watches.clear();
  }
}

export function keyOfEvent(event: StoreEvent): string {
  return event.type === 'put' ? event.entry.key : event.key;
}
