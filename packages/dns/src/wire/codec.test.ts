import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BallastError } from '@ballast/base';
import fc from 'fast-check';
import { composeMessage, composeWithin, parseMessage } from './codec.ts';
import { formatRecord, type Message, makeQuery, makeRecord, makeReply, type ResourceRecord } from './message.ts';
import { formatRdata, scanRdata } from './rdata.ts';
import { CLASS, TYPE, type TypeName, typeByName } from './registry.ts';
import { ttlOffsets } from './ttl-offsets.ts';

const owner = { name: 'www.example.org.', ttl: 300 };
const fromHex = (text: string) => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'));

function throwsCode(code: string, run: () => unknown): void {
  assert.throws(run, (error) => error instanceof BallastError && error.code === code);
}

describe('message codec', () => {
  it('RFC 1035 4.1: a query has the octets that every other implementation writes', () => {
    const bytes = composeMessage(makeQuery({ name: 'a.bc.', type: TYPE.AAAA }, { id: 0x1234 }));
    assert.equal(Buffer.from(bytes).toString('hex'), '123401000001000000000000' + '0161026263000' + '01c0001');
  });

  it('RFC 1035 4.1.4: repeated names become pointers, in record data too', () => {
    const request = makeQuery({ name: 'www.example.org.', type: TYPE.A });
    const reply = makeReply(request, {
      answers: [
        makeRecord('CNAME', owner, { target: 'web.example.org.' }),
        makeRecord('A', { name: 'web.example.org.', ttl: 300 }, { address: '192.0.2.1' }),
      ],
    });
    const bytes = composeMessage(reply);
    // header 12, question 21, CNAME 12 + (4 + pointer 2), A 12 + 4
    assert.equal(bytes.length, 12 + 21 + 18 + 16);
    assert.deepEqual(parseMessage(bytes), { ...reply, id: 0 });
  });

  it('RFC 3597 4: names in SRV data are not compressed', () => {
    const record = makeRecord('SRV', owner, { priority: 0, weight: 1, port: 53, target: 'www.example.org.' });
    const bytes = composeMessage(makeReply(makeQuery({ name: owner.name, type: TYPE.SRV }), { answers: [record] }));
    assert.equal(bytes.length, 12 + 21 + 12 + 6 + 17);
  });

  it('RFC 6891: OPT is lifted out, extended RCODE and DO survive', () => {
    const message = makeReply(makeQuery({ name: 'x.', type: TYPE.A }), {
      rcode: 16,
      edns: { udpSize: 1232, version: 0, dnssecOk: true, options: [{ code: 10, octets: fromHex('0102030405060708') }] },
    });
    assert.deepEqual(parseMessage(composeMessage(message)), message);
  });

  it('RFC 2181 8: a TTL with the top bit set counts as zero', () => {
    const bytes = fromHex('0001 8000 0000 0001 0000 0000 00 0001 0001 ffffffff 0004 c0000201');
    assert.equal(parseMessage(bytes).answers[0]?.ttl, 0);
  });

  it('RFC 3597 5: an unknown type passes through octet by octet', () => {
    const record: ResourceRecord = {
      name: 'x.',
      type: 65280,
      class: CLASS.IN,
      ttl: 1,
      data: { kind: 'opaque', octets: fromHex('c00c00ff') },
    };
    const parsed = parseMessage(composeMessage({ ...makeQuery({ name: 'x.', type: 65280 }), answers: [record] }));
    assert.deepEqual(parsed.answers, [record]);
    assert.equal(formatRecord(record), 'x. 1 IN TYPE65280 \\# 4 c00c00ff');
  });

  it('RFC 2181 9: what does not fit is cut from the end with TC, an exact fit is not', () => {
    const answers = Array.from({ length: 40 }, (_, i) => makeRecord('A', owner, { address: `192.0.2.${i}` }));
    const additionals = [makeRecord('A', { name: 'ns.', ttl: 1 }, { address: '192.0.2.99' })];
    const edns = { udpSize: 512, version: 0, dnssecOk: false, options: [] };
    const message = makeReply(makeQuery({ name: owner.name, type: TYPE.A }), { answers, additionals, edns });
    const whole = composeMessage(message);
    assert.deepEqual(composeWithin(message, whole.length), whole);
    const offByOne = parseMessage(composeWithin(message, whole.length - 1));
    assert.deepEqual(
      [offByOne.truncated, offByOne.answers.length, offByOne.additionals.length, offByOne.edns !== undefined],
      [true, 40, 0, true],
    );
    const bytes = composeWithin(message, 512);
    assert.ok(bytes.length <= 512);
    const cut = parseMessage(bytes);
    assert.deepEqual([cut.truncated, cut.additionals.length, cut.edns], [true, 0, edns]);
    assert.equal(cut.answers.length, Math.floor((512 - 12 - 21 - 11) / 16));
  });

  it('30 records of one owner fit in 512 octets', () => {
    const answers = Array.from({ length: 29 }, (_, i) => makeRecord('A', owner, { address: `192.0.2.${i}` }));
    assert.ok(composeMessage(makeReply(makeQuery({ name: owner.name, type: TYPE.A }), { answers })).length <= 512);
  });

  for (const [what, hex, code] of [
    ['a pointer to itself', '0000 0000 0001 0000 0000 0000 c00c 0001 0001', 'dns-name'],
    ['a pointer forwards', '0000 0000 0001 0000 0000 0000 c020 0001 0001', 'dns-name'],
    ['a label type that is not in use', '0000 0000 0001 0000 0000 0000 4000 0001 0001', 'dns-name'],
    ['a name that ends with the message', '0000 0000 0001 0000 0000 0000 0361', 'bytes-truncated'],
    ['a header cut short', '0000 0000 0001', 'bytes-truncated'],
    ['an address of three octets', '0000 8000 0000 0001 0000 0000 00 0001 0001 00000001 0003 c00002 00', 'dns-rdata'],
    ['record data beyond the end', '0000 8000 0000 0001 0000 0000 00 0010 0001 00000001 00ff 00', 'bytes-truncated'],
    [
      'two OPT records',
      '0000 0000 0000 0000 0000 0002 00 0029 0200 00000000 0000 00 0029 0200 00000000 0000',
      'dns-message',
    ],
    ['OPT as an answer', '0000 0000 0000 0001 0000 0000 00 0029 0200 00000000 0000', 'dns-message'],
    [
      'an EDNS option longer than OPT',
      '0000 0000 0000 0000 0000 0001 00 0029 0200 00000000 0004 000a 0009',
      'bytes-truncated',
    ],
  ] as const) {
    it(`refuses ${what}`, () => throwsCode(code, () => parseMessage(fromHex(hex))));
  }

  it('fuzz: no input does anything but parse or raise a coded error', () => {
    const check = (bytes: Uint8Array) => {
      try {
        parseMessage(bytes);
      } catch (error) {
        assert.ok(error instanceof BallastError, String(error));
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), check), { numRuns: 500 });
    const valid = composeMessage(
      makeReply(makeQuery({ name: owner.name, type: TYPE.SOA }), {
        answers: [makeRecord('MX', owner, { preference: 1, exchange: 'mx.example.org.' })],
        edns: { udpSize: 1232, version: 0, dnssecOk: false, options: [] },
      }),
    );
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.nat(255), fc.nat(valid.length - 1), fc.nat(255), (i, a, j, b) => {
        const bytes = valid.slice();
        bytes[i] = a;
        bytes[j] = b;
        check(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});

/** One zone file line of data per known type: a type without one is a failing test. */
const DATA: Partial<Record<TypeName, string>> = {
  A: '192.0.2.1',
  NS: 'ns1.example.org.',
  CNAME: 'web.example.org.',
  SOA: 'ns.example.org. hostmaster.example.org. 2026010101 7200 1800 86400 30',
  PTR: 'host.example.org.',
  HINFO: '"INTEL-386" "Linux"',
  MX: '10 mx.example.org.',
  TXT: '"v=spf1 -all" "say \\"hi\\" \\009"',
  RP: 'admin.example.org. info.example.org.',
  AFSDB: '1 afs.example.org.',
  AAAA: '2001:db8::1',
  SRV: '0 100 443 web.example.org.',
  NAPTR: '100 10 "u" "E2U+sip" "!^.*$!sip:info@example.org!" .',
  DNAME: 'example.net.',
  DS: '12345 13 2 00ff10',
  SSHFP: '4 2 abcdef',
  RRSIG: 'A 13 2 300 1700000000 1690000000 4711 example.org. q80=',
  DNSKEY: '257 3 13 q80=',
  TLSA: '3 1 1 00aa',
  CDS: '12345 13 2 00ff10',
  CDNSKEY: '257 3 13 q80=',
  SPF: '"v=spf1"',
  CAA: '0 "issue" "ca.example.net"',
  SVCB: '\\# 5 0001000001',
};

describe('record data', () => {
  for (const [name, text] of Object.entries(DATA)) {
    it(`${name}: text to data to octets and back`, () => {
      const type = typeByName(name) ?? 0;
      const words = text.match(/"(\\.|[^"\\])*"|\S+/g) ?? [];
      const unquoted = words.map((word) =>
        word.startsWith('"')
          ? word
              .slice(1, -1)
              .replace(/\\([0-9]{3}|.)/g, (_, c: string) => (c.length === 3 ? String.fromCharCode(Number(c)) : c))
          : word,
      );
      const record: ResourceRecord = { name: 'x.', type, class: CLASS.IN, ttl: 1, data: scanRdata(type, unquoted) };
      const [parsed] = parseMessage(composeMessage({ ...makeQuery({ name: 'x.', type }), answers: [record] })).answers;
      assert.deepEqual(parsed, record);
      assert.equal(formatRdata(type, record.data), text);
    });
  }

  it('says which field of a zone file line is wrong', () => {
    assert.throws(() => scanRdata(TYPE.MX, ['x', 'mx.']), /MX preference: "x" is not a number from 0 to 65535/);
    assert.throws(() => scanRdata(TYPE.SRV, ['0', '1']), /SRV port is missing/);
    assert.throws(() => scanRdata(TYPE.A, ['1.2.3.4', 'y']), /more words than fields/);
  });
});

describe('ttlOffsets', () => {
  it('finds each TTL but that of OPT', () => {
    const message: Message = makeReply(makeQuery({ name: owner.name, type: TYPE.A }), {
      answers: [
        makeRecord('CNAME', owner, { target: 'a.' }),
        makeRecord('A', { name: 'a.', ttl: 7 }, { address: '192.0.2.1' }),
      ],
      authorities: [makeRecord('NS', { name: 'org.', ttl: 9 }, { target: 'ns.org.' })],
      edns: { udpSize: 1232, version: 0, dnssecOk: true, options: [] },
    });
    const bytes = composeMessage(message);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    assert.deepEqual(
      ttlOffsets(bytes).map((at) => view.getUint32(at)),
      [300, 7, 9],
    );
  });
});
