import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { silentLogger } from '@ballast/base';
import { supportsUdpBatch } from '@ballast/linux';
import { composeMessage, parseMessage } from '../wire/codec.ts';
import { makeQuery, makeRecord, makeReply } from '../wire/message.ts';
import { TYPE } from '../wire/registry.ts';
import { batchedUdp } from './batched-udp.ts';
import type { Responder } from './transport.ts';

describe('batched UDP', { skip: !supportsUdpBatch() && 'needs 64-bit Linux' }, () => {
  it('asks the responder once, answers repeats by itself, reports them, and forgets when told', async () => {
    let asked = 0;
    const respond: Responder = async (bytes) => {
      asked += 1;
      const request = parseMessage(bytes);
      const name = request.questions[0]?.name ?? '.';
      const answers = [makeRecord('A', { name, ttl: 60 }, { address: `192.0.2.${asked}` })];
      return {
        bytes: composeMessage(makeReply(request, { answers })),
        reusable: { reusableMs: 60_000, mayRotate: true, name, tally: 'account' },
      };
    };
    const reused: [string, number][] = [];
    const open = batchedUdp({ workers: 2, logger: silentLogger, onReused: (...entry) => reused.push(entry) });
    const transport = await open({ at: { host: '127.0.0.1', port: 0 }, respond });
    const socket = createSocket('udp4');
    let id = 0;
    const ask = async (name: string): Promise<string> => {
      id += 1;
      socket.send(composeMessage(makeQuery({ name, type: TYPE.A }, { id })), transport.address.port, '127.0.0.1');
      const [bytes] = await once(socket, 'message');
      const answer = parseMessage(bytes);
      assert.equal(answer.id, id);
      const [record] = answer.answers;
      return record?.data.kind === 'A' ? record.data.address : '';
    };
    assert.equal(await ask('a.'), '192.0.2.1');
    const again = [await ask('a.'), await ask('a.'), await ask('a.')];
    assert.deepEqual(again, ['192.0.2.1', '192.0.2.1', '192.0.2.1']);
    assert.equal(await ask('b.'), '192.0.2.2');
    transport.forgetBelow?.(['a.']);
    // The workers hear of it before they look at the next datagram, or at the one after.
    await ask('b.');
    assert.equal(await ask('a.'), '192.0.2.3');
    socket.close();
    await transport.close();
    assert.deepEqual(reused.reduce((sum, [, times]) => sum + times, 0) >= 3, true);
  });
});
