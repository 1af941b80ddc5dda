import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatIp, type Ip, parseIp } from '@ballast/base';
import fc from 'fast-check';
import { composeArp, parseArp } from './arp.ts';
import { composeFrame, ETHERTYPE_ARP, ETHERTYPE_IPV6, parseFrame, ZERO_MAC } from './ethernet.ts';
import { composeNdp, parseNdp, UNSPECIFIED } from './ndp.ts';
import { ANNOUNCE_AT_MS, Responder, type ResponderEffect } from './responder.ts';

function ip(text: string): Ip {
  const parsed = parseIp(text);
  assert.ok(parsed);
  return parsed;
}

const OWN = '02:00:00:00:00:11';
const CLIENT = '02:00:00:00:00:09';
const VIP = ip('192.0.2.200');
const VIP6 = ip('2001:db8::200');

function responder(linkLocal: Ip | undefined = ip('fe80::11')): Responder {
  return new Responder({
    link: { name: 'eth0', mac: OWN, linkLocal },
    ownMacs: new Set([OWN, '02:00:00:00:00:12']),
    refreshMs: 60_000,
  });
}

function arp(fields: {
  operation?: 'request' | 'reply';
  sender?: string;
  senderMac?: string;
  target: string;
}): Uint8Array {
  const senderMac = fields.senderMac ?? CLIENT;
  const payload = composeArp({
    operation: fields.operation ?? 'request',
    senderMac,
    senderIp: ip(fields.sender ?? '192.0.2.9'),
    targetMac: ZERO_MAC,
    targetIp: ip(fields.target),
  });
  return composeFrame({ destination: 'ff:ff:ff:ff:ff:ff', source: senderMac, etherType: ETHERTYPE_ARP, payload });
}

/** Effects as a person would tell them. */
function tell(effect: ResponderEffect): string {
  if (effect.kind === 'request') return `asked for ${effect.ip}`;
  if (effect.kind === 'conflict') return `${effect.mac} claims ${effect.ip}`;
  const frame = parseFrame(effect.frame);
  if (frame.etherType === ETHERTYPE_ARP) {
    const packet = parseArp(frame.payload);
    assert.ok(packet);
    return `${effect.reason} to ${frame.destination}: ${packet.operation}, ${formatIp(packet.senderIp)} is at ${packet.senderMac}`;
  }
  const packet = parseNdp(frame.payload);
  assert.ok(packet?.message.kind === 'advertisement');
  const { solicited, override, target, targetMac } = packet.message;
  const flags = `${solicited ? 'S' : ''}${override ? 'O' : ''}`;
  return `${effect.reason} to ${frame.destination} ${formatIp(packet.destination)}: ${flags}, ${formatIp(target)} is at ${targetMac}`;
}

describe('RFC 826: requests', () => {
  test('a request for an owned address is answered to the asker alone', () => {
    const machine = responder();
    machine.take(VIP, 0);
    assert.deepEqual(machine.receive(arp({ target: '192.0.2.200' })).map(tell), [
      'asked for 192.0.2.200',
      `reply to ${CLIENT}: reply, 192.0.2.200 is at ${OWN}`,
    ]);
  });

  test('nothing else is answered', () => {
    const machine = responder();
    machine.take(VIP, 0);
    assert.deepEqual(machine.receive(arp({ target: '192.0.2.201' })), []);
    assert.deepEqual(machine.receive(arp({ operation: 'reply', target: '192.0.2.200' })), []);
    assert.deepEqual(machine.receive(arp({ senderMac: OWN, target: '192.0.2.200' })), []);
    machine.drop(VIP);
    assert.deepEqual(machine.receive(arp({ target: '192.0.2.200' })), []);
  });

  test('RFC 5227 section 2.1: a probe, whose sender address is zero, is answered and so defends the address', () => {
    const machine = responder();
    machine.take(VIP, 0);
    assert.equal(machine.receive(arp({ sender: '0.0.0.0', target: '192.0.2.200' })).length, 2);
  });

  test('another station that claims the address is reported, our own interfaces are not', () => {
    const machine = responder();
    machine.take(VIP, 0);
    const claims = (nowMs: number) =>
      machine
        .tick(nowMs)
        .filter(({ kind }) => kind === 'conflict')
        .map(tell);
    machine.receive(arp({ sender: '192.0.2.200', senderMac: '02:00:00:00:00:12', target: '192.0.2.200' }));
    assert.deepEqual(claims(0), []);
    machine.receive(arp({ sender: '192.0.2.200', target: '192.0.2.200' }));
    assert.deepEqual(claims(10), [`${CLIENT} claims 192.0.2.200`]);
  });

  test('a flood of claims is told once a second, not frame by frame', () => {
    const machine = responder();
    machine.take(VIP, 0);
    let told = 0;
    for (let nowMs = 0; nowMs < 3000; nowMs += 1) {
      for (let frame = 0; frame < 3; frame += 1) {
        assert.deepEqual(machine.receive(arp({ sender: '192.0.2.200', target: '192.0.2.200' })), []);
      }
      told += machine.tick(nowMs).filter(({ kind }) => kind === 'conflict').length;
    }
    assert.equal(told, 3);
  });
});

describe('RFC 5227 section 3: announcements', () => {
  test('taking an address announces it at once in both forms, and again on schedule', () => {
    const machine = responder();
    machine.take(VIP, 1000);
    assert.deepEqual(machine.tick(1000).map(tell), [
      `announcement to ff:ff:ff:ff:ff:ff: request, 192.0.2.200 is at ${OWN}`,
      `announcement to ff:ff:ff:ff:ff:ff: reply, 192.0.2.200 is at ${OWN}`,
    ]);
    const times: number[] = [0];
    for (let next = machine.nextMs(); next !== undefined && next < 10_000; next = machine.nextMs()) {
      assert.equal(machine.tick(next).length, 2);
      times.push(next - 1000);
    }
    assert.deepEqual(times, ANNOUNCE_AT_MS);
  });

  test('afterwards it is announced once a minute, and never after it was given up', () => {
    const machine = responder();
    machine.take(VIP, 0);
    machine.tick(6000);
    assert.equal(machine.nextMs(), 66_000);
    assert.equal(machine.tick(66_000).length, 2);
    machine.drop(VIP);
    assert.equal(machine.nextMs(), undefined);
    assert.deepEqual(machine.tick(1_000_000), []);
  });

  test('taking what is owned changes nothing', () => {
    const machine = responder();
    machine.take(VIP, 0);
    machine.tick(6000);
    machine.take(VIP, 7000);
    assert.equal(machine.nextMs(), 66_000);
  });
});

describe('RFC 4861: neighbor discovery', () => {
  const solicit = (source: Ip, sourceMac: string | undefined) =>
    composeFrame({
      destination: '33:33:ff:00:02:00',
      source: CLIENT,
      etherType: ETHERTYPE_IPV6,
      payload: composeNdp({
        source,
        destination: ip('ff02::1:ff00:200'),
        message: { kind: 'solicitation', target: VIP6, sourceMac },
      }),
    });

  test('section 7.2.4: a solicitation is answered with the Solicited flag', () => {
    const machine = responder();
    machine.take(VIP6, 0);
    assert.deepEqual(machine.receive(solicit(ip('fe80::9'), CLIENT)).map(tell), [
      'asked for 2001:db8::200',
      `reply to ${CLIENT} fe80::9: SO, 2001:db8::200 is at ${OWN}`,
    ]);
  });

  test('section 7.2.2: a unicast probe without source link-layer option is answered too', () => {
    const machine = responder();
    machine.take(VIP6, 0);
    assert.match(
      machine.receive(solicit(ip('fe80::9'), undefined)).map(tell)[1] ?? '',
      new RegExp(`^reply to ${CLIENT}`),
    );
  });

  test('RFC 4862 section 5.4.3: a host that checks whether the address is free is told through all-nodes that it is not', () => {
    const machine = responder();
    machine.take(VIP6, 0);
    assert.match(
      machine.receive(solicit(UNSPECIFIED, undefined)).map(tell)[1] ?? '',
      /^reply to 33:33:00:00:00:01 ff02::1: O,/,
    );
  });

  test('section 7.2.6: taking an address sends an unsolicited advertisement that overrides', () => {
    const machine = responder();
    machine.take(VIP6, 0);
    assert.deepEqual(machine.tick(0).map(tell), [
      `announcement to 33:33:00:00:00:01 ff02::1: O, 2001:db8::200 is at ${OWN}`,
    ]);
  });

  test('an interface without a link-local address stays silent', () => {
    const machine = new Responder({
      link: { name: 'eth0', mac: OWN, linkLocal: undefined },
      ownMacs: new Set(),
      refreshMs: 60_000,
    });
    machine.take(VIP6, 0);
    assert.deepEqual(machine.receive(solicit(ip('fe80::9'), CLIENT)), []);
    assert.deepEqual(machine.tick(0), []);
  });
});

test('any frame is answered or ignored', () => {
  const machine = responder();
  machine.take(VIP, 0);
  machine.take(VIP6, 0);
  fc.assert(
    fc.property(fc.constantFrom(0x0806, 0x86dd, 0x0800), fc.uint8Array({ maxLength: 100 }), (etherType, payload) => {
      machine.receive(composeFrame({ destination: OWN, source: CLIENT, etherType, payload }));
      machine.receive(payload);
    }),
    { numRuns: 500 },
  );
});
