import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { parseIp } from '@ballast/base';
import { closeFd, POLLIN, pollFds, SystemCallError } from './libc-sockets.ts';
import { parseSocketAddress } from './socket-address.ts';
import { answerDatagram, openUdpSocket, UdpBatch } from './udp-batch.ts';

function open(host: string, port = 0) {
  const ip = parseIp(host);
  assert.ok(ip);
  return openUdpSocket({ ip, port });
}

describe('UdpBatch', () => {
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    it(`receives and answers several datagrams in one call each, on ${host}`, async () => {
      const { fd, port } = open(host);
      const batch = new UdpBatch(fd, { slots: 8, inputOctets: 64, outputOctets: 64 });
      const client = createSocket('udp4');
      const answers: string[] = [];
      client.on('message', (bytes, { address }) => answers.push(`${bytes} from ${address}`));
      for (const text of ['one', 'two', 'three', 'x'.repeat(65)]) {
        await new Promise<void>((resolve) => client.send(text, port, '127.0.0.1', () => resolve()));
      }
      pollFds([{ fd, events: POLLIN }], 1000);
      const count = batch.receive();
      assert.equal(count, 4);
      assert.equal(batch.inputLength(3), 0, 'longer than a slot');
      for (let slot = 0; slot < 2; slot++) {
        const at = batch.inputOffset(slot);
        const text = batch.input.toString('latin1', at, at + batch.inputLength(slot)).toUpperCase();
        batch.output.write(text, batch.queue(slot, text.length), 'latin1');
      }
      batch.flush();
      const origin = batch.origin(2);
      assert.equal(batch.receive(), 0);
      assert.equal(parseSocketAddress(origin.from)?.port, client.address().port);
      assert.ok(answerDatagram(fd, Buffer.from('later'), origin));
      while (answers.length < 3) await once(client, 'message');
      assert.deepEqual(answers.toSorted(), ['ONE from 127.0.0.1', 'TWO from 127.0.0.1', 'later from 127.0.0.1']);
      client.close();
      closeFd(fd);
    });
  }

  it('says that the port is taken', () => {
    const { fd, port } = open('127.0.0.1');
    assert.throws(
      () => open('127.0.0.1', port),
      (error) => error instanceof SystemCallError && error.errno === 'EADDRINUSE',
    );
    closeFd(fd);
  });
});
