import type { Clock } from '@ballast/base';
import { type Next, type Outcome, type Query, rcodeOf } from '../../chain/query.ts';
import { type Message, makeReply } from '../../wire/message.ts';
import { isWithin, type Name } from '../../wire/name.ts';
import { RCODE } from '../../wire/registry.ts';
import { AnswerStore, type Entry, expiryOf } from './answer-store.ts';
import { classify, type Storable, secondsToKeep, withoutDnssec, withTtl } from './storable.ts';
import type { CacheConfig } from './syntax.ts';

/** What happens in a cache, for its counters. */
export type CacheEvent =
  | 'hit-success'
  | 'hit-denial'
  | 'miss'
  | 'prefetch'
  | 'stale'
  | 'drop'
  | 'evict-success'
  | 'evict-denial';

/**
 * The answers of one server block. Outlives a reload that leaves its block as it was. All times are of the monotonic clock: a jump of the
 * wall clock ages nothing.
 */
export class AnswerCache implements AsyncDisposable {
  readonly #config: CacheConfig;
  readonly #clock: Clock;
  readonly #success: AnswerStore;
  readonly #denial: AnswerStore;
  /** Questions that are being asked: later askers wait for the same answer. */
  readonly #pending = new Map<string, Promise<Outcome>>();
  /** Set by the configuration that is at work. */
  onEvent: (event: CacheEvent, query: Query | undefined) => void = () => {};

  constructor(config: CacheConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
    this.#success = new AnswerStore(config.success.capacity, () => this.onEvent('evict-success', undefined));
    this.#denial = new AnswerStore(config.denial.capacity, () => this.onEvent('evict-denial', undefined));
  }

  get sizes(): { readonly success: number; readonly denial: number } {
    return { success: this.#success.size, denial: this.#denial.size };
  }

  /** Drops what is kept of these names and of all below them. */
  forgetBelow(names: readonly Name[]): void {
    for (const store of [this.#success, this.#denial]) {
      store.deleteWhere((key) => {
        const name = key.slice(0, key.indexOf(' '));
        return names.some((changed) => isWithin(name, changed));
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.forgetBelow(['.']);
  }

  async answer(query: Query, next: Next): Promise<Outcome> {
    const nowMs = this.#clock.monotonicMs();
    const key = keyOf(query);
    const entry = this.#find(key, nowMs);
    if (entry && expiryOf(entry) > nowMs) return this.#hit({ query, next, key, entry, nowMs });
    if (entry && this.#config.stale && expiryOf(entry) + this.#config.stale.forMs > nowMs) {
      return this.#stale({ query, next, key, entry, nowMs });
    }
    this.onEvent('miss', query);
    return this.#forAsker(query, await this.#ask(query, next, key));
  }

  /** A live answer first, then the younger of what has expired. A kept failure never hides an answer. */
  #find(key: string, nowMs: number): Entry | undefined {
    const success = this.#success.get(key);
    if (success && expiryOf(success) > nowMs) return success;
    const denial = this.#denial.get(key);
    if (denial && expiryOf(denial) > nowMs) return denial;
    if (!success) return denial && !isFailure(denial) ? denial : undefined;
    return denial && !isFailure(denial) && denial.storedMs > success.storedMs ? denial : success;
  }

  #hit({ query, next, key, entry, nowMs }: Visit): Outcome {
    this.onEvent(
      entry.message.rcode === RCODE.NOERROR && entry.message.answers.length > 0 ? 'hit-success' : 'hit-denial',
      query,
    );
    const leftMs = expiryOf(entry) - nowMs;
    const { prefetch } = this.#config;
    if (prefetch) {
      entry.hits = nowMs - entry.lastHitMs > prefetch.gapMs ? 1 : entry.hits + 1;
      entry.lastHitMs = nowMs;
      const isDue = leftMs <= Math.ceil((entry.lifeMs * prefetch.share) / 1000) * 1000;
      if (isDue && entry.hits >= prefetch.amount && !entry.refreshing) {
        this.onEvent('prefetch', query);
        this.#refresh({ query, next, key, entry, nowMs });
      }
    }
    return this.#reply(query, entry, nowMs);
  }

  async #stale(visit: Visit): Promise<Outcome> {
    const { query, next, key, entry } = visit;
    const stale = this.#config.stale;
    if (stale?.mode === 'verify') {
      const fresh = this.#ask(query, next, key);
      const outcome = await (stale.timeoutMs > 0
        ? Promise.race([fresh, this.#clock.sleep(stale.timeoutMs).then(() => undefined)])
        : fresh);
      const rcode = outcome && rcodeOf(outcome);
      if (outcome && (rcode === RCODE.NOERROR || rcode === RCODE.NXDOMAIN)) return this.#forAsker(query, outcome);
    } else if (!entry.refreshing) this.#refresh(visit);
    this.onEvent('stale', query);
    return this.#serve(query, entry.message, 0);
  }

  /** Asks in the background, once at a time for each entry; a failure keeps the old answer. */
  #refresh({ query, next, key, entry }: Visit): void {
    entry.refreshing = true;
    const settled = () => {
      entry.refreshing = false;
    };
    // What goes wrong here concerns no client; the next one to ask will see it.
    void this.#ask(query, next, key, entry.hits).then(settled, settled);
  }

  /** Asks the chain, with everybody else who wants to know the same at the time, and keeps what comes. */
  #ask(query: Query, next: Next, key: string, hits = 0): Promise<Outcome> {
    const known = this.#pending.get(key);
    if (known) return known;
    // AD=1 asks the upstream to say whether it validated (RFC 6840, section 5.7); only who asked for that will see it.
    const request = { ...query.request, authenticData: true };
    const asked = next({ ...query, request })
      .then((outcome) => this.#keep(query, key, outcome, hits))
      .finally(() => this.#pending.delete(key));
    this.#pending.set(key, asked);
    return asked;
  }

  #keep(query: Query, key: string, outcome: Outcome, hits: number): Outcome {
    if (outcome.kind === 'drop') return outcome;
    const message = outcome.kind === 'reply' ? outcome.message : makeReply(query.request, { rcode: outcome.rcode });
    const kind = classify(message);
    const [asked, answered] = [query.question, message.questions[0]];
    if (!answered || answered.type !== asked.type || answered.name.toLowerCase() !== query.name) {
      this.onEvent('drop', query);
      return outcome;
    }
    const lifeMs = kind ? this.#lifeMs(kind, message) : 0;
    if (!kind || lifeMs <= 0 || this.#isDisabled(kind, query)) return outcome;
    const store = kind === 'success' ? this.#success : this.#denial;
    const nowMs = this.#clock.monotonicMs();
    const { edns: _, ...kept } = message;
    const entry: Entry = {
      message: kept,
      storedMs: nowMs,
      lifeMs,
      hits,
      lastHitMs: nowMs,
      refreshing: false,
    };
    store.set(key, entry);
    // A fresh answer ends what the other store knew.
    if (kind === 'success') this.#denial.delete(key);
    else if (kind === 'denial') this.#success.delete(key);
    if (outcome.kind !== 'reply') return outcome;
    const reuse = this.#reusable(query, entry, nowMs);
    const capped = withTtl(message, Math.round(lifeMs / 1000));
    return { ...outcome, message: capped, ...reuse };
  }

  #lifeMs(kind: Storable, message: Message): number {
    if (kind === 'failure') return this.#config.failureMs;
    return secondsToKeep(message, this.#config[kind]) * 1000;
  }

  #isDisabled(kind: Storable, { name }: Query): boolean {
    const store = kind === 'success' ? 'success' : 'denial';
    return this.#config.disabled.some(
      (rule) => rule.kind === store && (rule.zones.length === 0 || rule.zones.some((zone) => isWithin(name, zone))),
    );
  }

  #reply(query: Query, entry: Entry, nowMs: number): Outcome {
    const leftMs = expiryOf(entry) - nowMs;
    const seconds = Math.floor((this.#config.keepTtl ? entry.lifeMs : leftMs) / 1000);
    const outcome = this.#serve(query, entry.message, seconds);
    return { ...outcome, ...this.#reusable(query, entry, nowMs) };
  }

  /** A transport may repeat an answer until it is time to look here again. */
  #reusable(query: Query, entry: Entry, nowMs: number): { readonly reusableMs?: number; readonly reusableName?: Name } {
    if (this.#config.keepTtl || isFailure(entry)) return {};
    const leftMs = expiryOf(entry) - nowMs - entry.lifeMs * (this.#config.prefetch?.share ?? 0);
    return leftMs >= 1000 ? { reusableMs: leftMs, reusableName: query.name } : {};
  }

  #serve(query: Query, stored: Message, seconds: number): Extract<Outcome, { kind: 'reply' }> {
    const { rcode, answers, authorities, additionals, authoritative, recursionAvailable, authenticData } = stored;
    const message = makeReply(query.request, {
      ...{ rcode, answers, authorities, additionals, authoritative, recursionAvailable, authenticData },
    });
    return { kind: 'reply', plugin: 'cache', message: forAsker(query, withTtl(message, seconds)) };
  }

  /** What several askers share, as this one must see it: own id, own spelling, no signatures or AD that it did not ask for. */
  #forAsker(query: Query, outcome: Outcome): Outcome {
    if (outcome.kind !== 'reply') return outcome;
    const { id, recursionDesired, checkingDisabled, questions } = query.request;
    const message = { ...outcome.message, id, recursionDesired, checkingDisabled, questions };
    return { ...outcome, message: forAsker(query, message) };
  }
}

interface Visit {
  readonly query: Query;
  readonly next: Next;
  readonly key: string;
  readonly entry: Entry;
  readonly nowMs: number;
}

/** DO and CD make different answers (RFC 4035, section 4.7); AD does not. */
function keyOf({ name, type, question, request }: Query): string {
  const flags = (request.edns?.dnssecOk ? 1 : 0) | (request.checkingDisabled ? 2 : 0);
  return `${name} ${type} ${question.class} ${flags}`;
}

const isFailure = ({ message }: Entry) => message.rcode === RCODE.SERVFAIL || message.rcode === RCODE.NOTIMP;

function forAsker(query: Query, message: Message): Message {
  const { edns, authenticData } = query.request;
  const spelled = withSpelling(query, message);
  if (edns?.dnssecOk) return spelled;
  return withoutDnssec(authenticData ? spelled : { ...spelled, authenticData: false });
}

/** Owner names equal to the question's are written as this client wrote them. */
function withSpelling({ question, name }: Query, message: Message): Message {
  const [first] = message.answers;
  if (!first || first.name === question.name || first.name.toLowerCase() !== name) return message;
  const answers = message.answers.map((record) =>
    record.name.toLowerCase() === name ? { ...record, name: question.name } : record,
  );
  return { ...message, answers };
}
