import { WebSocket } from 'ws';
import type { TestMachine } from './machine.ts';

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** The Status that ends a command. */
  readonly status: { readonly status?: string; readonly details?: { readonly causes?: { message?: string }[] } };
}

/** Runs a command in a container as a version 5 WebSocket client does; `input` is sent and then closed. */
export function execute(
  machine: TestMachine,
  at: { pod: string; container?: string; command: readonly string[]; input?: string },
): Promise<CommandResult> {
  const query = new URLSearchParams([
    ...at.command.map((word): [string, string] => ['command', word]),
    ['output', '1'],
    ['error', '1'],
    ...(at.input === undefined ? [] : [['input', '1'] as [string, string]]),
  ]);
  const url = `wss://127.0.0.1:${machine.port}/exec/default/${at.pod}/${at.container ?? 'main'}?${query}`;
  const socket = new WebSocket(url, 'v5.channel.k8s.io', {
    ...machine.clientTls,
    rejectUnauthorized: false,
  });
  const output: Record<number, Buffer[]> = { 1: [], 2: [], 3: [] };
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('unexpected-response', (_request, response) => reject(new Error(`HTTP ${response.statusCode}`)));
    socket.on('open', () => {
      if (at.input === undefined) return;
      socket.send(Buffer.concat([Buffer.from([0]), Buffer.from(at.input)]));
      socket.send(Buffer.from([255, 0]));
    });
    socket.on('message', (message: Buffer) => output[message[0] ?? 0]?.push(message.subarray(1)));
    socket.on('close', () => {
      const text = (channel: number) => Buffer.concat(output[channel] ?? []).toString('utf8');
      const status = JSON.parse(text(3) || '{}') as CommandResult['status'];
      resolve({ stdout: text(1), stderr: text(2), status });
    });
  });
}
