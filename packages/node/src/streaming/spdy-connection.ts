import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { BallastError } from '@ballast/base';
import { composeControl, composeData, composeSynStream, FLAG_FIN, FrameType, SpdyFrameParser } from './spdy-frame.ts';

/** Asks the streaming server of the runtime at `url` to switch to SPDY/3.1; resolves with the raw connection. */
export function upgradeToSpdy(
  url: string,
  protocols: readonly string[],
): Promise<{ socket: Duplex; protocol: string }> {
  return new Promise((resolve, reject) => {
    const upgrade = request(url, {
      method: 'POST',
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'SPDY/3.1',
        'x-stream-protocol-version': [...protocols],
        'content-length': '0',
      },
    });
    upgrade.once('upgrade', (response, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      const protocol = response.headers['x-stream-protocol-version'];
      resolve({ socket, protocol: typeof protocol === 'string' ? protocol : '' });
    });
    upgrade.once('response', (response) => {
      response.resume();
      reject(
        new BallastError(
          'upgrade-refused',
          `the container runtime answered ${response.statusCode} instead of switching protocols`,
        ),
      );
    });
    upgrade.once('error', reject);
    upgrade.end();
  });
}

export interface SpdyHandlers {
  data(streamId: number, data: Uint8Array): void;
  /** The other side has sent its last on this stream, or has reset it. */
  end(streamId: number): void;
  /** The connection is over. */
  close(): void;
}

/** The client side of a SPDY connection whose streams are all opened by us. There is no flow control, as in Go's implementation. */
export class SpdyConnection {
  readonly #socket: Duplex;
  readonly #parser = new SpdyFrameParser();
  #nextId = 1;

  constructor(socket: Duplex, handlers: SpdyHandlers) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const frame of this.#parser.push(chunk)) {
          if (frame.kind === 'data') {
            if (frame.data.length > 0) handlers.data(frame.streamId, frame.data);
            if (frame.fin) handlers.end(frame.streamId);
          } else this.#control(frame, handlers);
        }
      } catch {
        socket.destroy();
      }
    });
    socket.once('close', () => handlers.close());
    socket.on('error', () => socket.destroy());
  }

  get socket(): Duplex {
    return this.#socket;
  }

  /** Opens a stream and returns its id. */
  open(headers: Readonly<Record<string, string>>): number {
    const streamId = this.#nextId;
    this.#nextId += 2;
    this.#socket.write(composeSynStream({ streamId, headers, first: streamId === 1 }));
    return streamId;
  }

  /** False when the receiver is slower than the sender; wait for 'drain' of the socket. */
  send(streamId: number, data: Uint8Array): boolean {
    return this.#socket.write(composeData(streamId, data, false));
  }

  /** No more data from us on this stream. */
  finish(streamId: number): void {
    this.#socket.write(composeData(streamId, new Uint8Array(), true));
  }

  close(): void {
    this.#socket.destroy();
  }

  #control(frame: { type: number; flags: number; payload: Uint8Array }, handlers: SpdyHandlers): void {
    const payload = Buffer.from(frame.payload.buffer, frame.payload.byteOffset, frame.payload.byteLength);
    switch (frame.type) {
      case FrameType.ping:
        // Ours would have odd ids, but we send none: this one asks to be sent back.
        this.#socket.write(composeControl(FrameType.ping, 0, payload));
        return;
      case FrameType.rstStream:
        handlers.end(payload.readUInt32BE(0) & 0x7fff_ffff);
        return;
      case FrameType.synReply:
        if ((frame.flags & FLAG_FIN) !== 0) handlers.end(payload.readUInt32BE(0) & 0x7fff_ffff);
        return;
      default:
    }
  }
}
