import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatIp, type Ip, parseIp } from '@ballast/base';
import fc from 'fast-check';
import { composeArp, parseArp } from './arp.ts';
import { composeFrame, parseFrame } from './ethernet.ts';
import { ARP_FILTER, NDP_FILTER } from './filters.ts';
import { ALL_NODES, composeNdp, multicastMac, type NdpPacket, parseNdp, solicitedNodeGroup } from './ndp.ts';

function ip(text: string): Ip {
  const parsed = parseIp(text);
  assert.ok(parsed);
  return parsed;
}

const mac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':'));
const ipv4 = fc.integer({ min: 0, max: 0xffff_ffff }).map((value): Ip => ({ family: 4, value: BigInt(value) }));
const unicast6 = fc.bigInt({ min: 0n, max: (1n << 120n) - 1n }).map((value): Ip => ({ family: 6, value }));

describe('RFC 826: ARP', () => {
  test('what was composed is parsed to the same, also behind padding', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('request' as const, 'reply' as const),
        mac,
        ipv4,
        mac,
        ipv4,
        (operation, senderMac, senderIp, targetMac, targetIp) => {
          const packet = { operation, senderMac, senderIp, targetMac, targetIp };
          assert.deepEqual(parseArp(Buffer.concat([composeArp(packet), Buffer.alloc(18)])), packet);
        },
      ),
    );
  });

  test('any bytes are ARP or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void parseArp(bytes)),
      { numRuns: 500 },
    );
  });
});

describe('RFC 4861: neighbor discovery', () => {
  const packet: fc.Arbitrary<NdpPacket> = fc
    .tuple(
      unicast6,
      unicast6,
      unicast6,
      fc.option(mac, { nil: undefined }),
      fc.boolean(),
      fc.boolean(),
      fc.boolean(),
      fc.boolean(),
    )
    .map(([source, destination, target, hardware, solicitation, router, solicited, override]) => ({
      source,
      destination,
      message: solicitation
        ? { kind: 'solicitation', target, sourceMac: hardware }
        : { kind: 'advertisement', router, solicited, override, target, targetMac: hardware },
    }));

  test('what was composed is parsed to the same', () => {
    fc.assert(fc.property(packet, (sent) => assert.deepEqual(parseNdp(composeNdp(sent)), sent)));
  });

  test('section 7.1: a changed byte in the message makes it invalid (checksum)', () => {
    fc.assert(
      fc.property(packet, fc.nat(), fc.integer({ min: 1, max: 255 }), (sent, at, change) => {
        const bytes = composeNdp(sent);
        const index = 40 + (at % (bytes.length - 40));
        bytes[index] = (bytes[index] ?? 0) ^ change;
        assert.equal(parseNdp(bytes), undefined);
      }),
    );
  });

  test('section 7.1: a hop limit below 255 came through a router', () => {
    const bytes = composeNdp({
      source: ip('fe80::1'),
      destination: ALL_NODES,
      message: { kind: 'solicitation', target: ip('2001:db8::1'), sourceMac: undefined },
    });
    bytes[7] = 254;
    assert.equal(parseNdp(bytes), undefined);
  });

  test('any bytes are neighbor discovery or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => void parseNdp(bytes)),
      { numRuns: 500 },
    );
  });

  test('RFC 4291 section 2.7.1 and RFC 2464 section 7: solicited-node group and its hardware address', () => {
    const group = solicitedNodeGroup(ip('4037::1:800:200e:8c6c'));
    assert.equal(formatIp(group), 'ff02::1:ff0e:8c6c');
    assert.equal(multicastMac(group), '33:33:ff:0e:8c:6c');
  });
});

/** A classic BPF machine with the instructions that the filters use. */
function runFilter(program: typeof ARP_FILTER, frame: Uint8Array): number {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  let accumulator = 0;
  for (let at = 0; at < program.length; at++) {
    const instruction = program[at];
    assert.ok(instruction);
    const { code, jt, jf, k } = instruction;
    if (code === 0x28 || code === 0x30) {
      if (k + (code === 0x28 ? 2 : 1) > frame.length) return 0;
      accumulator = code === 0x28 ? view.getUint16(k) : view.getUint8(k);
    } else if (code === 0x15) at += accumulator === k ? jt : jf;
    else if (code === 0x35) at += accumulator >= k ? jt : jf;
    else if (code === 0x06) return k;
    else assert.fail(`instruction 0x${code.toString(16)}`);
  }
  return assert.fail('no verdict');
}

describe('packet filters', () => {
  const frame = (etherType: number, payload: Uint8Array) =>
    composeFrame({ destination: 'ff:ff:ff:ff:ff:ff', source: '02:00:00:00:00:01', etherType, payload });
  const solicitation = composeNdp({
    source: ip('fe80::1'),
    destination: ALL_NODES,
    message: { kind: 'solicitation', target: ip('2001:db8::1'), sourceMac: undefined },
  });
  const ofType = (type: number) => {
    const bytes = Uint8Array.from(solicitation);
    bytes[40] = type;
    return frame(0x86dd, bytes);
  };

  test('the ARP filter takes ARP only', () => {
    assert.ok(runFilter(ARP_FILTER, frame(0x0806, new Uint8Array(28))) > 0);
    assert.equal(runFilter(ARP_FILTER, frame(0x0800, new Uint8Array(60))), 0);
  });

  test('the NDP filter takes solicitations and advertisements only', () => {
    for (const [type, taken] of [
      [134, false],
      [135, true],
      [136, true],
      [137, false],
      [128, false],
    ] as const) {
      assert.equal(runFilter(NDP_FILTER, ofType(type)) > 0, taken, `type ${type}`);
    }
    assert.equal(runFilter(NDP_FILTER, frame(0x0806, new Uint8Array(60))), 0);
    assert.equal(runFilter(NDP_FILTER, frame(0x86dd, new Uint8Array(10))), 0);
  });
});

test('frames: what was composed is parsed to the same', () => {
  fc.assert(
    fc.property(
      mac,
      mac,
      fc.integer({ min: 0, max: 0xffff }),
      fc.uint8Array({ maxLength: 80 }),
      (destination, source, etherType, payload) => {
        assert.deepEqual(parseFrame(composeFrame({ destination, source, etherType, payload })), {
          destination,
          source,
          etherType,
          payload,
        });
      },
    ),
  );
});
