import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { SpdyConnection } from './spdy-connection.ts';

/** First byte of each WebSocket message of the remote command protocols. */
const Channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

export const COMMAND_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;
/** What the runtime speaks; its error stream carries a Status, as in the two protocols above. */
export const RUNTIME_PROTOCOL = 'v4.channel.k8s.io';

/** More than this waiting in a WebSocket, and the runtime is not read from any more. */
const HIGH_WATER_BYTES = 1024 * 1024;
const RESUME_POLL_MS = 10;

export interface CommandStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/**
 * Joins a WebSocket client of exec or attach to the runtime's SPDY streams, message by message. Version 5 of the protocol adds the
 * message [255, channel], by which the client ends its input without ending the rest.
 */
export function bridgeCommand(webSocket: WebSocket, runtime: Duplex, wanted: CommandStreams): void {
  const channelOf = new Map<number, number>();
  const open = new Set<number>();
  const spdy = new SpdyConnection(runtime, {
    data(streamId, data) {
      const channel = channelOf.get(streamId);
      if (channel !== undefined) sendOn(channel, data);
    },
    end(streamId) {
      if (!open.delete(streamId)) return;
      // The command has ended when its outputs and the stream with its result have.
      if (open.size === 0) finish();
    },
    close: finish,
  });
  let finished = false;
  function finish(): void {
    if (finished) return;
    finished = true;
    webSocket.close(1000);
    spdy.close();
  }
  function sendOn(channel: number, data: Uint8Array): void {
    const message = Buffer.allocUnsafe(data.length + 1);
    message[0] = channel;
    message.set(data, 1);
    webSocket.send(message);
    if (webSocket.bufferedAmount > HIGH_WATER_BYTES) holdBack();
  }
  function holdBack(): void {
    if (runtime.isPaused()) return;
    runtime.pause();
    const look = setInterval(() => {
      if (webSocket.readyState === webSocket.OPEN && webSocket.bufferedAmount > HIGH_WATER_BYTES / 2) return;
      clearInterval(look);
      runtime.resume();
    }, RESUME_POLL_MS);
  }

  const stream = (streamtype: string, channel: number, isOutput: boolean): number => {
    const id = spdy.open({ streamtype });
    channelOf.set(id, channel);
    if (isOutput) open.add(id);
    return id;
  };
  stream('error', Channel.error, true);
  const stdin = wanted.stdin ? stream('stdin', Channel.stdin, false) : undefined;
  if (wanted.stdout) stream('stdout', Channel.stdout, true);
  if (wanted.stderr && !wanted.tty) stream('stderr', Channel.stderr, true);
  const resize = wanted.tty ? stream('resize', Channel.resize, false) : undefined;
  // An empty message tells clients that the other side is there.
  sendOn(wanted.stdout ? Channel.stdout : wanted.stderr ? Channel.stderr : Channel.error, new Uint8Array());

  webSocket.on('message', (message: Buffer) => {
    const [channel, ...first] = message.subarray(0, 2);
    const data = message.subarray(1);
    if (channel === Channel.close) {
      if (first[0] === Channel.stdin && stdin !== undefined) spdy.finish(stdin);
      return;
    }
    const target = channel === Channel.stdin ? stdin : channel === Channel.resize ? resize : undefined;
    if (target === undefined || data.length === 0 || spdy.send(target, data)) return;
    webSocket.pause();
    runtime.once('drain', () => webSocket.resume());
  });
  webSocket.on('close', finish);
  webSocket.on('error', finish);
}
