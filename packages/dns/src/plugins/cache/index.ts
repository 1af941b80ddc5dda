import { definePlugin } from '../../chain/plugin.ts';
import type { Lease, SharedKind } from '../../chain/shared-resources.ts';
import { isWithin } from '../../wire/name.ts';
import { AnswerCache, type CacheEvent } from './answer-cache.ts';
import { cacheConfig, cacheSyntax } from './syntax.ts';

const CACHES: SharedKind<AnswerCache> = { name: 'cache' };

/** `cache`: see README.md. */
export const cache = definePlugin({
  name: 'cache',
  syntax: cacheSyntax,
  allowsReuse: true,
  create([occurrence], { zones: blockZones, keys, server, shared, clock, metrics, changes }) {
    const config = cacheConfig(occurrence);
    const zonesLabel = (config.zones ?? blockZones).join(',');
    const labels = [server, zonesLabel, ''];
    const names = ['server', 'zones', 'view'];
    const typed = ['server', 'type', 'zones', 'view'];
    const counter = (name: string, help: string, labels: readonly string[]) => metrics.counter({ name, help, labels });
    const entries = metrics.gauge({ name: 'cache_entries', help: 'Answers kept.', labels: typed });
    const requests = counter('cache_requests_total', 'Queries that came to the cache.', names);
    const hits = counter('cache_hits_total', 'Queries answered from the cache.', typed);
    const misses = counter('cache_misses_total', 'Queries that were not in the cache.', names);
    const prefetches = counter('cache_prefetch_total', 'Answers renewed before they expired.', names);
    const drops = counter('cache_drops_total', 'Answers to another question than was asked.', names);
    const stale = counter('cache_served_stale_total', 'Queries answered with an expired entry.', names);
    const evictions = counter('cache_evictions_total', 'Answers that made room for others.', typed);
    const typedLabels = (type: string) => [server, type, zonesLabel, ''];

    let lease: Lease<AnswerCache> | undefined;
    let subscription: Disposable | undefined;
    const count = (event: CacheEvent) => {
      if (event === 'miss') misses.inc(labels);
      else if (event === 'prefetch') prefetches.inc(labels);
      else if (event === 'stale') stale.inc(labels);
      else if (event === 'drop') drops.inc(labels);
      else if (event === 'hit-success' || event === 'hit-denial') hits.inc(typedLabels(event.slice(4)));
      else evictions.inc(typedLabels(event.slice(6)));
    };
    const inCache = (name: string) => !config.zones || config.zones.some((zone) => isWithin(name, zone));
    return {
      async handle(query, next) {
        if (!lease || !inCache(query.name)) return next(query);
        requests.inc(labels);
        const outcome = await lease.value.answer(query, next);
        const { success, denial } = lease.value.sizes;
        entries.set(success, typedLabels('success'));
        entries.set(denial, typedLabels('denial'));
        return outcome;
      },
      observe({ times, reused, outcome }) {
        // Answers that a transport gave by itself came out of this cache's entries.
        if (!reused || outcome.kind !== 'reply') return;
        requests.inc(labels, times);
        hits.inc(typedLabels(outcome.message.answers.length > 0 ? 'success' : 'denial'), times);
      },
      async start() {
        // A reload keeps the answers of a block whose keys and cache stay as they were.
        const identity = JSON.stringify([keys.map(({ text }) => text), config]);
        lease = shared.acquire(CACHES, identity, () => new AnswerCache(config, clock));
        const answers = lease.value;
        answers.onEvent = count;
        subscription = changes.subscribe((names) => answers.forgetBelow(names));
      },
      async stop() {
        subscription?.[Symbol.dispose]();
        await lease?.release();
      },
    };
  },
});
