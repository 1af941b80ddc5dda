import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SimulatedClock } from '@ballast/base';
import fc from 'fast-check';
import { noFiles } from '../../corefile/source.ts';
import { serveCorefile } from '../../server/served-corefile.ts';
import { Zone } from './zone.ts';
import { parseZoneText } from './zone-text.ts';

const ZONE = `$TTL 1h
@       IN SOA ns hostmaster (
          7      ; serial
          7200 1800 86400 30 )
        NS  ns
ns      A   192.0.2.53
www 60  A   192.0.2.1
        AAAA 2001:db8::1
alias   CNAME www
chain   CNAME alias
away    CNAME www.example.net.
loop1   CNAME loop2
loop2   CNAME loop1
dangling CNAME nothing
*.wild  TXT "any \\"name\\""
a.b.ent A 192.0.2.7
mail    MX 10 www
_x._tcp SRV 0 0 80 www
sub     NS ns.sub
ns.sub  A 192.0.2.99
old     DNAME new.example.org.
host.new A 192.0.2.8
$ORIGIN deep.example.org.
www     A 192.0.2.9
`;

const SOA = '; authority example.org. 3600 IN SOA ns.example.org. hostmaster.example.org. 7 7200 1800 86400 30';

async function withZone(text: string, body: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ballast-zone-'));
  const path = join(folder, 'zone');
  await writeFile(path, text);
  await body(path);
  await rm(folder, { recursive: true });
}

describe('file', () => {
  it('RFC 1034 4.3.2, RFC 4592, RFC 6672: every way through a zone', async () => {
    await withZone(ZONE, async (path) => {
      await using served = await serveCorefile(`. {\n file ${path} example.org\n}`);
      for (const [name, type, expected] of [
        ['www.example.org.', 'A', 'NOERROR\nwww.example.org. 60 IN A 192.0.2.1'],
        ['WWW.example.org.', 'AAAA', 'NOERROR\nWWW.example.org. 3600 IN AAAA 2001:db8::1'],
        ['www.example.org.', 'MX', `NOERROR\n${SOA}`],
        ['none.example.org.', 'A', `NXDOMAIN\n${SOA}`],
        ['b.ent.example.org.', 'A', `NOERROR\n${SOA}`],
        [
          'example.org.',
          'NS',
          'NOERROR\nexample.org. 3600 IN NS ns.example.org.\n; additional ns.example.org. 3600 IN A 192.0.2.53',
        ],
        [
          'chain.example.org.',
          'A',
          'NOERROR\nchain.example.org. 3600 IN CNAME alias.example.org.\nalias.example.org. 3600 IN CNAME www.example.org.\nwww.example.org. 60 IN A 192.0.2.1',
        ],
        ['away.example.org.', 'A', 'NOERROR\naway.example.org. 3600 IN CNAME www.example.net.'],
        ['alias.example.org.', 'CNAME', 'NOERROR\nalias.example.org. 3600 IN CNAME www.example.org.'],
        ['loop1.example.org.', 'A', 'SERVFAIL'],
        ['dangling.example.org.', 'A', `NXDOMAIN\ndangling.example.org. 3600 IN CNAME nothing.example.org.\n${SOA}`],
        ['x.y.wild.example.org.', 'TXT', 'NOERROR\nx.y.wild.example.org. 3600 IN TXT "any \\"name\\""'],
        ['x.wild.example.org.', 'A', `NOERROR\n${SOA}`],
        [
          '_x._tcp.example.org.',
          'SRV',
          'NOERROR\n_x._tcp.example.org. 3600 IN SRV 0 0 80 www.example.org.\n; additional www.example.org. 60 IN A 192.0.2.1\n; additional www.example.org. 3600 IN AAAA 2001:db8::1',
        ],
        [
          'a.sub.example.org.',
          'A',
          'NOERROR\n; authority sub.example.org. 3600 IN NS ns.sub.example.org.\n; additional ns.sub.example.org. 3600 IN A 192.0.2.99',
        ],
        ['sub.example.org.', 'DS', `NOERROR\n${SOA}`],
        [
          'host.old.example.org.',
          'A',
          'NOERROR\nold.example.org. 3600 IN DNAME new.example.org.\nhost.old.example.org. 3600 IN CNAME host.new.example.org.\nhost.new.example.org. 3600 IN A 192.0.2.8',
        ],
        ['www.deep.example.org.', 'A', 'NOERROR\nwww.deep.example.org. 3600 IN A 192.0.2.9'],
        ['example.org.', 'AXFR', 'REFUSED'],
        ['example.net.', 'A', 'REFUSED'],
      ] as const) {
        assert.equal(await served.ask(name, type), expected, `${name} ${type}`);
      }
    });
  });

  it('a new serial is noticed, the same serial is not, and a broken file leaves the zone as it was', async () => {
    await withZone(ZONE, async (path) => {
      const clock = new SimulatedClock();
      await using served = await serveCorefile(`. {\n file ${path} example.org {\n reload 10s\n }\n}`, { clock });
      const after = async (text: string) => {
        await writeFile(path, text);
        await clock.advance(10_000);
        for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 1));
        return served.ask('www.example.org.');
      };
      assert.match(await after(ZONE.replace('192.0.2.1', '192.0.2.2')), /192\.0\.2\.1$/);
      assert.match(await after(ZONE.replace('192.0.2.1', '192.0.2.2').replace('7      ;', '8 ;')), /192\.0\.2\.2$/);
      assert.match(await after('www A 192.0.2.3\n'), /192\.0\.2\.2$/);
    });
  });

  it('says in which line of the zone file what is wrong', () => {
    const text = '@ SOA a b 1 2 3 4 5\nwww A 192.0.2.300\nx BOGUS y\n$GENERATE 1-2 a A 1\n$INCLUDE none\n';
    const { problems } = parseZoneText(text, { file: 'zone', origin: 'example.org.', source: noFiles });
    assert.deepEqual(problems, [
      'zone:2: "192.0.2.300" is not an IPv4 address',
      'zone:3: "BOGUS" is not a record type',
      'zone:4: $GENERATE is not understood; known: $ORIGIN, $TTL, $INCLUDE',
      'zone: $INCLUDE none: there is no such file',
    ]);
    assert.match(String(Zone.of('example.org.', [])), /there is no SOA record at example\.org\./);
  });

  it('fuzz: any text is records or problems', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('\n', ' ', '(', ')', '"', ';', '\\', 'A', '@', '$ORIGIN', '1h', 'SOA'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const { records } = parseZoneText(pieces.join(''), { file: 'f', origin: 'x.', source: noFiles });
        Zone.of('x.', records);
      }),
    );
  });
});
