import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseFlow } from './conntrack.ts';

test('conntrack: the original and the reply direction of a flow are read', () => {
  const line =
    'udp      17 29 src=10.42.0.5 dst=10.43.0.10 sport=47417 dport=53 [UNREPLIED] src=10.42.1.2 dst=10.42.0.5 sport=10053 dport=47417 mark=0 use=1';
  assert.deepEqual(parseFlow(line), {
    protocol: 'udp',
    original: { source: '10.42.0.5', destination: '10.43.0.10', sourcePort: 47417, destinationPort: 53 },
    reply: { source: '10.42.1.2', destination: '10.42.0.5', sourcePort: 10053, destinationPort: 47417 },
  });
});

test('conntrack: IPv6 and TCP lines with a state are read', () => {
  const line =
    'tcp      6 431999 ESTABLISHED src=fd42::5 dst=fd43::a sport=1 dport=2 src=fd42::7 dst=fd42::5 sport=3 dport=1 [ASSURED] mark=0 use=1';
  assert.equal(parseFlow(line)?.reply.source, 'fd42::7');
});

test('conntrack: lines that are no flow with ports are nothing', () => {
  const icmp =
    'icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=7 src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=7 mark=0';
  for (const line of ['', icmp, 'conntrack v1.4.7 (conntrack-tools): 3 flow entries have been shown.']) {
    assert.equal(parseFlow(line), undefined);
  }
});

test('conntrack: any text is either a flow or nothing, never an exception', () => {
  const word = fc.constantFrom(
    'udp',
    '17',
    '29',
    'src=1.2.3.4',
    'dst=::1',
    'sport=99999999',
    'dport=5',
    'src=',
    '[X]',
    ' ',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(word).map((words) => words.join(' ')),
      ),
      (text) => {
        parseFlow(text);
      },
    ),
  );
});
