import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CorefileError } from '../../corefile/problem.ts';
import { serveCorefile } from '../../server/served-corefile.ts';
import { makeQuery } from '../../wire/message.ts';
import { TYPE } from '../../wire/registry.ts';
import { parseRule } from './rule.ts';

const HOSTS = `hosts /dev/null {
  192.0.2.1 web.shop.svc.cluster.local
  192.0.2.2 b.example.org
  2001:db8::2 b.example.org
}`;

const serve = (rules: string) => serveCorefile(`. {\n${rules}\n${HOSTS}\n}`);

describe('rewrite', () => {
  for (const [what, rule, asked, answered] of [
    ['exact', 'rewrite name A.example.org b.example.org', 'a.example.org.', 'a.example.org. 3600 IN A 192.0.2.2'],
    [
      'the spelling of the question stays',
      'rewrite name a.example.org b.example.org',
      'A.Example.org.',
      'A.Example.org. 3600 IN A 192.0.2.2',
    ],
    ['prefix', 'rewrite name prefix x- b', 'x-.example.org.', 'x-.example.org. 3600 IN A 192.0.2.2'],
    [
      'suffix',
      'rewrite name suffix .example.net .example.org answer auto',
      'b.example.net.',
      'b.example.net. 3600 IN A 192.0.2.2',
    ],
    ['substring', 'rewrite name substring exa.mple example', 'b.exa.mple.org.', 'b.exa.mple.org. 3600 IN A 192.0.2.2'],
    [
      'regex',
      'rewrite name regex (.*)[.]shop[.]example[.]$ {1}.shop.svc.cluster.local answer auto',
      'web.shop.example.',
      'web.shop.example. 3600 IN A 192.0.2.1',
    ],
    [
      'ttl',
      'rewrite ttl b.example.org 10-60',
      'b.example.org.',
      'b.example.org. 3600 IN A 192.0.2.2'.replace('3600', '60'),
    ],
    [
      'continue',
      'rewrite continue name c.example.org b.example.org\nrewrite ttl b.example.org 7',
      'c.example.org.',
      'c.example.org. 7 IN A 192.0.2.2',
    ],
    [
      'stop',
      'rewrite name c.example.org b.example.org\nrewrite ttl b.example.org 7',
      'c.example.org.',
      'c.example.org. 3600 IN A 192.0.2.2',
    ],
    [
      'a body',
      'rewrite stop {\n name regex (.*)[.]shop[.]example[.]$ {1}.shop.svc.cluster.local\n answer name (.*)[.]shop[.]example[.]$ {1}.seen.example\n}',
      'web.shop.example.',
      'web.seen.example. 3600 IN A 192.0.2.1',
    ],
  ] as const) {
    it(what, async () => {
      await using served = await serve(rule);
      assert.equal(await served.ask(asked), `NOERROR\n${answered}`);
    });
  }

  it('type and rcode', async () => {
    await using served = await serve(
      'rewrite continue type ANY AAAA\nrewrite rcode suffix example.net SERVFAIL NXDOMAIN',
    );
    assert.equal(await served.ask('b.example.org.', 'ANY'), 'NOERROR\nb.example.org. 3600 IN AAAA 2001:db8::2');
    assert.equal(await served.ask('x.example.net.'), 'NXDOMAIN');
    assert.equal(await served.ask('x.example.com.'), 'SERVFAIL');
  });

  it("a repeated answer is filed under the name that was asked for in place of the client's", async () => {
    await using served = await serve('rewrite name a.example.org b.example.org\ncache');
    const answer = await served.transport.askWire(makeQuery({ name: 'a.example.org.', type: TYPE.A }));
    assert.equal(answer?.reusable?.name, 'b.example.org.');
  });

  for (const [rule, message] of [
    ['rewrite edns0 local set 1 2', 'cannot rewrite "edns0"; known: name, type, ttl, rcode'],
    ['rewrite name a', 'name needs what to rewrite and what to'],
    ['rewrite name regex ( b', '"(" is not a regular expression'],
    ['rewrite type A B', 'type needs two record types'],
    ['rewrite ttl a x', 'ttl needs SECONDS, MIN-MAX, -MAX or MIN-'],
    ['rewrite name a b reply c', '"reply" is not understood; write "answer auto", "answer name" or "answer value"'],
  ] as const) {
    it(`refuses ${rule}`, async () => {
      await assert.rejects(
        serve(rule),
        (error) => error instanceof CorefileError && error.message === `Corefile:2: rewrite: ${message}`,
      );
    });
  }

  it('fuzz: any words make a rule or an error', () => {
    const words = fc.array(
      fc.oneof(fc.constantFrom('name', 'regex', 'answer', 'auto', 'ttl', 'type', 'A', 'continue', '('), fc.string()),
    );
    fc.assert(fc.property(words, (list) => assert.ok(parseRule(list, []))));
  });
});
