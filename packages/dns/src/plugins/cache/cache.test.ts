import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SimulatedClock } from '@ballast/base';
import { failure, type Next, type Outcome, type Query, reply } from '../../chain/query.ts';
import { parseCorefile } from '../../corefile/parser.ts';
import { noFiles } from '../../corefile/source.ts';
import { parseDirective } from '../../syntax/directive.ts';
import { type Message, makeQuery, makeRecord, makeReply } from '../../wire/message.ts';
import { EDNS_OPTION, RCODE, TYPE } from '../../wire/registry.ts';
import { AnswerCache, type CacheEvent } from './answer-cache.ts';
import { classify, secondsToKeep } from './storable.ts';
import { cacheConfig, cacheSyntax } from './syntax.ts';

const NAME = 'www.example.org.';
const soa = makeRecord(
  'SOA',
  { name: 'example.org.', ttl: 600 },
  { mname: 'ns.', rname: 'h.', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 60 },
);

function queryFor(name = NAME, fields: Partial<Message> = {}, type: number = TYPE.A): Query {
  const request = makeQuery({ name, type }, { id: 7, ...fields });
  const [question] = request.questions;
  assert.ok(question);
  return {
    ...{ request, question, name: name.toLowerCase(), type, requestOctets: 40, zone: '.', depth: 0 },
    ...{ client: { address: '192.0.2.1', port: 1 }, protocol: 'udp' },
  };
}

function config(text: string) {
  const { blocks } = parseCorefile(`. {\n${text}\n}`, { file: 'f', source: noFiles });
  const [occurrence] = parseDirective(cacheSyntax, blocks[0]?.directives ?? [], (_, message) => assert.fail(message));
  assert.ok(occurrence);
  return cacheConfig(occurrence);
}

/** A cache over an upstream that counts, answers what `outcome` says, and may be made to wait. */
function setup(text = 'cache', ttl = 300) {
  const clock = new SimulatedClock();
  const cache = new AnswerCache(config(text), clock);
  const events: CacheEvent[] = [];
  cache.onEvent = (event) => events.push(event);
  const upstream = {
    asked: 0,
    seen: [] as Query[],
    outcome: (query: Query): Outcome =>
      reply(
        'up',
        makeReply(query.request, {
          answers: [makeRecord('A', { name: query.question.name, ttl }, { address: '192.0.2.1' })],
        }),
      ),
    gate: undefined as Promise<void> | undefined,
  };
  const next: Next = async (query) => {
    upstream.asked += 1;
    upstream.seen.push(query);
    await upstream.gate;
    return upstream.outcome(query);
  };
  const ask = async (query = queryFor()): Promise<Message> => {
    const outcome = await cache.answer(query, next);
    return outcome.kind === 'reply'
      ? outcome.message
      : makeReply(query.request, { rcode: outcome.kind === 'failure' ? outcome.rcode : 0 });
  };
  return { clock, cache, upstream, ask, events, next };
}

const ttlOf = (message: Message) => message.answers[0]?.ttl;

describe('cache', () => {
  it('answers again with the TTL counted down, and asks anew when it is over', async () => {
    const { clock, upstream, ask } = setup();
    assert.equal(ttlOf(await ask()), 300);
    await clock.advance(100_500);
    clock.jumpWallClock(1e9);
    assert.equal(ttlOf(await ask()), 199);
    assert.equal(upstream.asked, 1);
    await clock.advance(199_500);
    await ask();
    assert.equal(upstream.asked, 2);
  });

  it('TTL rules: caps, floors, and the first answer is capped too', async () => {
    for (const [text, ttl, kept] of [
      ['cache', 7200, 3600],
      ['cache 30', 300, 30],
      ['cache', 0, 5],
      ['cache {\n success 100 7200\n}', 9000, 7200],
      ['cache {\n success 100 3600 60\n}', 10, 60],
    ] as const) {
      const { ask } = setup(text, ttl);
      assert.equal(ttlOf(await ask()), kept, `${text} with TTL ${ttl}`);
    }
  });

  it('is kept apart by DO, CD and type, not by AD or spelling; the answer is spelled as asked', async () => {
    const { upstream, ask } = setup();
    const edns = {
      udpSize: 1232,
      version: 0,
      dnssecOk: true,
      options: [{ code: EDNS_OPTION.NSID, octets: new Uint8Array() }],
    };
    await ask();
    await ask(queryFor(NAME, { authenticData: true }));
    assert.equal((await ask(queryFor('WWW.example.org.'))).answers[0]?.name, 'WWW.example.org.');
    assert.equal(upstream.asked, 1);
    await ask(queryFor(NAME, { edns }));
    await ask(queryFor(NAME, { checkingDisabled: true }));
    await ask(queryFor(NAME, {}, TYPE.AAAA));
    assert.equal(upstream.asked, 4);
  });

  it('RFC 6840 5.7: asks with AD, and shows AD only to who asked for it', async () => {
    const { upstream, ask } = setup();
    const { outcome } = upstream;
    upstream.outcome = (query) => {
      const inner = outcome(query);
      return inner.kind === 'reply' ? { ...inner, message: { ...inner.message, authenticData: true } } : inner;
    };
    assert.equal((await ask()).authenticData, false);
    assert.equal(upstream.seen[0]?.request.authenticData, true);
    assert.equal((await ask(queryFor(NAME, { authenticData: true }))).authenticData, true);
  });

  it('questions under way are asked once', async () => {
    const { upstream, ask } = setup();
    const gate = Promise.withResolvers<void>();
    upstream.gate = gate.promise;
    const answers = [ask(), ask(queryFor(NAME, { id: 8 })), ask(queryFor(NAME.toUpperCase(), { id: 9 }))];
    gate.resolve();
    assert.deepEqual(
      (await Promise.all(answers)).map(({ id }) => id),
      [7, 8, 9],
    );
    assert.equal(upstream.asked, 1);
  });

  it('what may be kept, and where', () => {
    const request = makeQuery({ name: NAME, type: TYPE.A });
    const answers = [makeRecord('A', { name: NAME, ttl: 10 }, { address: '192.0.2.1' })];
    const alias = [makeRecord('CNAME', { name: NAME, ttl: 10 }, { target: 'x.' })];
    const cases: readonly (readonly [string, Partial<Message>, ReturnType<typeof classify>])[] = [
      ['answer', { answers }, 'success'],
      ['NODATA with SOA', { authorities: [soa] }, 'denial'],
      ['NODATA without SOA', {}, 'success'],
      ['NXDOMAIN with SOA', { rcode: RCODE.NXDOMAIN, authorities: [soa] }, 'denial'],
      ['NXDOMAIN without SOA', { rcode: RCODE.NXDOMAIN }, undefined],
      ['CNAME with SOA', { answers: alias, authorities: [soa] }, 'denial'],
      ['truncated', { answers, truncated: true }, undefined],
      ['SERVFAIL', { rcode: RCODE.SERVFAIL }, 'failure'],
      ['NOTIMP', { rcode: RCODE.NOTIMP }, 'failure'],
      ['REFUSED', { rcode: RCODE.REFUSED }, undefined],
      ['FORMERR', { rcode: RCODE.FORMERR }, undefined],
    ];
    for (const [what, fields, expected] of cases) assert.equal(classify(makeReply(request, fields)), expected, what);
    const limits = { minSeconds: 5, maxSeconds: 1800 };
    assert.equal(secondsToKeep(makeReply(request, { authorities: [soa] }), limits), 60, 'RFC 2308 5: the SOA minimum');
    assert.equal(secondsToKeep(makeReply(request, {}), limits), 5);
  });

  it('an answer to another question is neither kept nor hidden', async () => {
    const { upstream, ask, events } = setup();
    upstream.outcome = (query) =>
      reply('up', makeReply(query.request, { questions: [{ name: 'other.', type: TYPE.A, class: 1 }] }));
    await ask();
    await ask();
    assert.equal(upstream.asked, 2);
    assert.ok(events.includes('drop'));
  });

  it('failures are kept for five seconds, as long as servfail says, or not at all', async () => {
    for (const [text, keptMs] of [
      ['cache', 5000],
      ['cache {\n servfail 60s\n}', 60_000],
      ['cache {\n servfail 0\n}', 0],
    ] as const) {
      const { upstream, ask, clock } = setup(text);
      upstream.outcome = () => failure('up', 'SERVFAIL');
      await ask();
      await clock.advance(Math.max(0, keptMs - 1));
      await ask();
      assert.equal(upstream.asked, keptMs === 0 ? 2 : 1, text);
      await clock.advance(2);
      await ask();
      assert.equal(upstream.asked, keptMs === 0 ? 3 : 2, text);
    }
  });

  it('prefetch renews in the background, once, when an answer is popular and nearly over', async () => {
    const { upstream, ask, clock } = setup('cache {\n prefetch 2 1m 10%\n}', 100);
    await ask();
    await clock.advance(50_000);
    await ask();
    await clock.advance(42_000);
    await Promise.all([ask(), ask()]);
    assert.equal(upstream.asked, 2);
    assert.equal(ttlOf(await ask()), 100);
  });

  it('serve_stale answers with TTL 0 and asks in the background; verify asks first', async () => {
    const immediate = setup('cache {\n serve_stale 1h\n}', 10);
    await immediate.ask();
    await immediate.clock.advance(20_000);
    immediate.upstream.outcome = () => failure('up', 'SERVFAIL');
    assert.equal(ttlOf(await immediate.ask()), 0);
    assert.equal(immediate.upstream.asked, 2);
    const verify = setup('cache {\n serve_stale 1h verify\n}', 10);
    await verify.ask();
    await verify.clock.advance(20_000);
    assert.equal(ttlOf(await verify.ask()), 10, 'fresh is better');
    await verify.clock.advance(20_000);
    verify.upstream.outcome = () => failure('up', 'SERVFAIL');
    assert.equal(ttlOf(await verify.ask()), 0);
    await verify.clock.advance(3600_000);
    assert.equal((await verify.ask()).rcode, RCODE.SERVFAIL, 'beyond the hour it is gone');
  });

  it('a full store lets go of what has not been used for longest', async () => {
    const { upstream, ask, events } = setup('cache {\n success 2\n}');
    for (const name of ['a.', 'b.', 'a.', 'c.']) await ask(queryFor(name));
    assert.deepEqual([upstream.asked, events.filter((event) => event === 'evict-success').length], [3, 1]);
    await ask(queryFor('a.'));
    assert.equal(upstream.asked, 3, 'a was used after b');
    await ask(queryFor('b.'));
    assert.equal(upstream.asked, 4);
  });

  it('disable and keepttl', async () => {
    const { upstream, ask } = setup('cache {\n disable success example.org\n}');
    await ask();
    await ask();
    await ask(queryFor('example.net.'));
    await ask(queryFor('example.net.'));
    assert.equal(upstream.asked, 3);
    const kept = setup('cache {\n keepttl\n}');
    await kept.ask();
    await kept.clock.advance(100_000);
    assert.equal(ttlOf(await kept.ask()), 300);
  });

  it('says for how long a transport may repeat an answer', async () => {
    const { cache, clock, next } = setup('cache 30');
    const reusableMs = async () => {
      const outcome = await cache.answer(queryFor(), next);
      return outcome.kind === 'reply' ? outcome.reusableMs : undefined;
    };
    assert.equal(await reusableMs(), 30_000);
    await clock.advance(10_000);
    assert.equal(await reusableMs(), 20_000);
  });
});
