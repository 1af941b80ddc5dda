import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { hasCode, messageOf } from '@ballast/base';
import type { Container, EphemeralContainer, GRPCAction, HTTPGetAction, Probe, TCPSocketAction } from '@ballast/kube';
import { Client, credentials, status as grpcStatus, Metadata } from '@grpc/grpc-js';
import type { CriClient } from '../cri/client.ts';
import { decodeMessage, encodeMessage, message } from '../cri/protobuf.ts';
import type { ProbeOutcome } from './probe-state.ts';

/** Where a check is aimed. */
export interface ProbeTarget {
  readonly cri: Pick<CriClient, 'execSync'>;
  readonly containerId: string;
  readonly container: Container | EphemeralContainer;
  readonly podIp: string;
  readonly timeoutMs: number;
}

const MAX_OUTPUT = 10 * 1024;
const MAX_REDIRECTS = 10;

/** The number of a port that is given as a number or as the name of a container port; undefined when there is no such name. */
export function resolvePort(port: number | string, container: Container | EphemeralContainer): number | undefined {
  const number = Number(port);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  return container.ports?.find((candidate) => candidate.name === port)?.containerPort;
}

/**
 * Runs one check. Never throws: what goes wrong on the way to the container is a failed check. But when the runtime cannot run a command at
 * all, that says nothing about the container, and the result is undefined: a restart of containerd must not kill pods.
 */
export async function runProbe(probe: Probe, target: ProbeTarget): Promise<ProbeOutcome | undefined> {
  try {
    if (probe.exec) return await execCheck(probe.exec.command ?? [], target);
    if (probe.httpGet) return await httpCheck(probe.httpGet, target);
    if (probe.tcpSocket) return await tcpCheck(probe.tcpSocket, target);
    if (probe.grpc) return await grpcCheck(probe.grpc, target);
    return { success: true, output: '' };
  } catch (error) {
    return { success: false, output: messageOf(error) };
  }
}

async function execCheck(command: readonly string[], target: ProbeTarget): Promise<ProbeOutcome | undefined> {
  try {
    const result = await target.cri.execSync(
      { containerId: target.containerId, cmd: command, timeout: Math.ceil(target.timeoutMs / 1000) },
      { timeoutMs: target.timeoutMs + 2000 },
    );
    const output = Buffer.concat([result.stdout, result.stderr]).subarray(0, MAX_OUTPUT).toString('utf8');
    return { success: result.exitCode === 0, output };
  } catch (error) {
    if (!hasCode(error, 'cri-timeout')) return undefined;
    return {
      success: false,
      output: `command timed out: ${JSON.stringify(command.join(' '))} timed out after ${target.timeoutMs / 1000}s`,
    };
  }
}

/** A GET as probes and hooks send it: no keep-alive, certificates are not checked, redirects to the same host are followed. */
export async function httpCheck(action: HTTPGetAction, target: ProbeTarget): Promise<ProbeOutcome> {
  const port = resolvePort(action.port, target.container);
  if (port === undefined) return { success: false, output: `couldn't find port: ${action.port}` };
  const host = action.host || target.podIp;
  const shownHost = host.includes(':') ? `[${host}]` : host;
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const path = action.path ?? '/';
  let url = new URL(`${scheme}://${shownHost}:${port}${path.startsWith('/') ? '' : '/'}${path}`);
  const deadline = AbortSignal.timeout(target.timeoutMs);
  for (let redirects = 0; ; redirects += 1) {
    const answer = await get(url, action, deadline, target.timeoutMs);
    const location = answer.statusCode >= 300 && answer.statusCode < 400 ? answer.location : undefined;
    if (location !== undefined && redirects < MAX_REDIRECTS) {
      const next = new URL(location, url);
      // A redirect elsewhere proves that the program answers; probing other hosts is not our business.
      if (next.hostname !== url.hostname)
        return { success: true, output: `Probe terminated redirects, Response body: ` };
      url = next;
      continue;
    }
    if (answer.statusCode >= 200 && answer.statusCode < 400) return { success: true, output: answer.body };
    return { success: false, output: `HTTP probe failed with statuscode: ${answer.statusCode}` };
  }
}

function get(
  url: URL,
  action: HTTPGetAction,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<{ statusCode: number; body: string; location: string | undefined }> {
  const headers: Record<string, string> = { 'user-agent': 'kube-probe/1.36', accept: '*/*' };
  for (const { name, value } of action.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  if (headers.accept === '') delete headers.accept;
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const shown = `Get "${url.href}"`;
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      const late = signal.aborted;
      const why = late ? `context deadline exceeded (Client.Timeout exceeded while awaiting headers)` : error.message;
      reject(new Error(`${shown}: ${why}`, { cause: error }));
    };
    const request = send(
      url,
      { agent: false, headers, signal, rejectUnauthorized: false, timeout: timeoutMs },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size <= MAX_OUTPUT) chunks.push(chunk);
        });
        response.on('error', fail);
        response.on('end', () =>
          resolve({
            statusCode: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString('utf8'),
            location: response.headers.location,
          }),
        );
      },
    );
    request.on('error', fail);
    request.end();
  });
}

export async function tcpCheck(action: TCPSocketAction, target: ProbeTarget): Promise<ProbeOutcome> {
  const port = resolvePort(action.port, target.container);
  if (port === undefined) return { success: false, output: `couldn't find port: ${action.port}` };
  const host = action.host || target.podIp;
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (outcome: ProbeOutcome) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(target.timeoutMs, () =>
      finish({ success: false, output: `dial tcp ${host}:${port}: i/o timeout` }),
    );
    socket.once('connect', () => finish({ success: true, output: '' }));
    socket.once('error', (error) => finish({ success: false, output: `dial tcp ${host}:${port}: ${error.message}` }));
  });
}

const HealthCheckRequest = message({ service: [1, 'string'] });
const HealthCheckResponse = message({ status: [1, 'int32'] });
const SERVING = 1;

async function grpcCheck(action: GRPCAction, target: ProbeTarget): Promise<ProbeOutcome> {
  const host = target.podIp.includes(':') ? `[${target.podIp}]` : target.podIp;
  const channel = new Client(`${host}:${action.port}`, credentials.createInsecure());
  try {
    return await new Promise<ProbeOutcome>((resolve) => {
      channel.makeUnaryRequest<object, { status: number }>(
        '/grpc.health.v1.Health/Check',
        (value) => encodeMessage(HealthCheckRequest, value),
        (bytes) => decodeMessage(HealthCheckResponse, bytes),
        { service: action.service ?? '' },
        new Metadata(),
        { deadline: Date.now() + target.timeoutMs },
        (error, answer) => {
          if (error) {
            const late = error.code === grpcStatus.DEADLINE_EXCEEDED;
            const text = late
              ? `timeout: failed to connect service "${host}:${action.port}" within ${target.timeoutMs / 1000}s`
              : error.details;
            resolve({ success: false, output: text });
          } else if (answer?.status === SERVING) resolve({ success: true, output: 'service is serving' });
          else resolve({ success: false, output: `service unhealthy (responded with ${answer?.status ?? 0})` });
        },
      );
    });
  } finally {
    channel.close();
  }
}
