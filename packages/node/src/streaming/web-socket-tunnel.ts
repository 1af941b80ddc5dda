import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** Port forwarding over WebSocket is SPDY inside binary messages. */
export const TUNNEL_PROTOCOL = 'SPDY/3.1+portforward.k8s.io';
export const PORT_FORWARD_PROTOCOL = 'portforward.k8s.io';

const HIGH_WATER_BYTES = 1024 * 1024;
const RESUME_POLL_MS = 10;

/** Joins the bytes of binary messages and of a raw connection, in both directions. */
export function bridgeTunnel(webSocket: WebSocket, runtime: Duplex): void {
  const finish = () => {
    webSocket.close(1000);
    runtime.destroy();
  };
  runtime.on('data', (chunk: Buffer) => {
    webSocket.send(chunk);
    if (webSocket.bufferedAmount <= HIGH_WATER_BYTES || runtime.isPaused()) return;
    runtime.pause();
    const look = setInterval(() => {
      if (webSocket.readyState === webSocket.OPEN && webSocket.bufferedAmount > HIGH_WATER_BYTES / 2) return;
      clearInterval(look);
      runtime.resume();
    }, RESUME_POLL_MS);
  });
  webSocket.on('message', (message: Buffer) => {
    if (runtime.write(message)) return;
    webSocket.pause();
    runtime.once('drain', () => webSocket.resume());
  });
  runtime.once('close', finish);
  runtime.on('error', finish);
  webSocket.on('close', finish);
  webSocket.on('error', finish);
}
