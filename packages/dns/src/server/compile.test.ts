import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BallastError } from '@ballast/base';
import { noFiles } from '../corefile/source.ts';
import { PLUGINS } from '../plugins/index.ts';
import { compileCorefile } from './compile.ts';
import { DEFAULT_COREFILE } from './default-corefile.ts';

const compile = (text: string) => compileCorefile(text, { file: 'Corefile', plugins: PLUGINS, source: noFiles });

/** The message of a Corefile that is not right. */
function problemsOf(text: string): string {
  try {
    compile(text);
  } catch (error) {
    assert.ok(error instanceof BallastError && error.code === 'corefile-invalid', String(error));
    return error.message;
  }
  return assert.fail('the Corefile was taken');
}

const known = `known: ${PLUGINS.map(({ name }) => name).join(', ')}`;

describe('compileCorefile', () => {
  it('takes the stock Corefiles of Kubernetes and of NodeLocal DNSCache', () => {
    compile(DEFAULT_COREFILE);
    compile(
      DEFAULT_COREFILE.replace(
        'cache 30',
        'cache 30 {\n disable success cluster.local\n disable denial cluster.local\n }',
      ),
    );
    compile(`cluster.local:53 {
      errors
      cache {
        success 9984 30
        denial 9984 5
      }
      reload
      loop
      bind 127.0.0.1
      forward . 10.43.0.10 {
        force_tcp
      }
      prometheus :9253
      health 127.0.0.1:8080
    }`);
  });

  it('all problems are told at once, by line, with what to do', () => {
    assert.equal(
      problemsOf(`.:53 {
  errros
  forward . 192.0.2.300 {
    max_fials 3
  }
  cache -1
  reload 1s
  health {
    lameduck soon
  }
  cache 30
}
example.org:99999 {
  bogus-directive
}`),
      [
        `Corefile:2: unknown directive "errros"; did you mean "errors"? (${known})`,
        'Corefile:3: forward: "192.0.2.300" is not a valid TO; expected IP[:PORT], tls://IP[%SERVERNAME][:PORT], or the path of a resolv.conf file',
        'Corefile:4: forward: unknown option "max_fials"; did you mean "max_fails"? (known: except, force_tcp, prefer_udp, expire, read_timeout, max_fails, max_connect_attempts, tls, tls_servername, policy, health_check, max_concurrent, next, next_on_nodata, failover, failfast_all_unhealthy_upstreams)',
        'Corefile:6: cache: "-1" is not a valid TTL; expected a whole number from 1 to 2147483647',
        'Corefile:7: reload: "1s" is not a valid INTERVAL; expected a duration from 2s, such as 5s or 1m30s',
        'Corefile:9: health: lameduck: "soon" is not a valid DURATION; expected a duration, such as 5s or 1m30s',
        'Corefile:11: cache may stand once in a server block; it is already at Corefile:6',
        'Corefile:13: "example.org:99999": a port from 0 to 65535 must follow the colon',
        `Corefile:14: unknown directive "bogus-directive"; ${known}`,
      ].join('\n'),
    );
  });

  for (const [what, lines, message] of [
    [
      'too few arguments',
      'forward .',
      'forward: TO is missing; expected IP[:PORT], tls://IP[%SERVERNAME][:PORT], or the path of a resolv.conf file',
    ],
    ['too many arguments', 'loop now', 'loop takes no arguments; "now" is too many'],
    ['too many arguments for usage', 'ready :1 :2', 'ready takes [ADDRESS]; ":2" is too many'],
    [
      'an option without its value',
      'cache {\n servfail\n}',
      'cache: servfail: DURATION is missing; expected a duration up to 5m, such as 5s or 1m30s',
    ],
    ['an option twice', 'cache {\n keepttl\n keepttl\n}', 'cache: keepttl is given twice; remove one'],
    [
      'a value out of range',
      'kubernetes a {\n ttl 3601\n}',
      'kubernetes: ttl: "3601" is not a valid SECONDS; expected a whole number from 0 to 3600',
    ],
    [
      'options that exclude each other',
      'kubernetes a {\n namespaces x\n namespace_labels y\n}',
      'kubernetes: namespaces and namespace_labels cannot be combined; keep one',
    ],
    ['an option where none is', 'loop {\n x\n}', 'loop: unknown option "x"; it takes none'],
    [
      'a bad regular expression',
      'errors {\n consolidate 5m (\n}',
      'errors: consolidate: "(" is not a valid REGEX; expected a regular expression of up to 10000 characters',
    ],
    [
      'a servfail time beyond the limit',
      'cache {\n servfail 6m\n}',
      'cache: servfail: "6m" is not a valid DURATION; expected a duration up to 5m, such as 5s or 1m30s',
    ],
  ] as const) {
    it(`${what}: ${lines.split('\n')[0]}`, () => {
      assert.equal(problemsOf(`. {\n${lines}\n}`).replace(/^Corefile:\d+: /, ''), message);
    });
  }

  it('the digest changes with what is said, not with how it is written', () => {
    const digest = (text: string) => compile(text).digest;
    assert.equal(digest('. {\n errors\n}'), digest('. { # comment\n   errors\n\n}\n'));
    assert.notEqual(digest('. {\n errors\n}'), digest('. {\n log\n}'));
  });

  it('the order of the chain is that of the list, not of the file', () => {
    const [block] = compile('. {\n whoami\n cache\n errors\n}').blocks;
    assert.deepEqual(
      block?.plugins.map(({ plugin }) => plugin.name),
      ['errors', 'cache', 'whoami'],
    );
  });
});
