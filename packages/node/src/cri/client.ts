import { BallastError } from '@ballast/base';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { METHODS } from './messages.ts';
import { type Decoded, decodeMessage, type Encodable, encodeMessage, type MessageType } from './protobuf.ts';

type Methods = typeof METHODS;
export type CriMethod = keyof Methods;

export interface CallOptions {
  /** Longest time the call may take; two minutes when not given. */
  readonly timeoutMs?: number;
}

/** The container runtime: one function per CRI call, for example `cri.runPodSandbox({ config })`. Failures are CriError. */
export type CriClient = {
  readonly [Name in CriMethod]: (
    request: Encodable<Methods[Name]['request']>,
    options?: CallOptions,
  ) => Promise<Decoded<Methods[Name]['response']>>;
};

/** `cri-not-found`: no such sandbox, container or image. `cri-unreachable`: no runtime answered. `cri-timeout`: it took too long. */
export type CriErrorCode = 'cri-not-found' | 'cri-unreachable' | 'cri-timeout' | 'cri-failed';

export class CriError extends BallastError<CriErrorCode> {}

const CODES: Partial<Record<number, CriErrorCode>> = {
  [status.NOT_FOUND]: 'cri-not-found',
  [status.UNAVAILABLE]: 'cri-unreachable',
  [status.DEADLINE_EXCEEDED]: 'cri-timeout',
};

const DEFAULT_TIMEOUT_MS = 120_000;

/** Connects to the CRI socket at `socketPath` (connection is made, and made again after a restart of the runtime, when it is needed). */
export function createCriClient(socketPath: string): CriClient & Disposable {
  const channel = new Client(`unix://${socketPath}`, credentials.createInsecure(), {
    'grpc.default_authority': 'localhost',
    'grpc.max_receive_message_length': -1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
  });
  const call = (name: CriMethod, request: object, options: CallOptions = {}): Promise<object> => {
    const method: { service: string; request: MessageType; response: MessageType } = METHODS[name];
    const path = `/runtime.v1.${method.service}/${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    return new Promise((resolve, reject) => {
      channel.makeUnaryRequest<object, object>(
        path,
        (value) => encodeMessage(method.request, value),
        (bytes) => decodeMessage(method.response, bytes),
        request,
        new Metadata(),
        { deadline: Date.now() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS) },
        (error: ServiceError | null, value?: object) => {
          if (error) reject(new CriError(CODES[error.code] ?? 'cri-failed', error.details, { cause: error }));
          else resolve(value ?? {});
        },
      );
    });
  };
  const methods = Object.fromEntries(
    (Object.keys(METHODS) as CriMethod[]).map((name) => [
      name,
      (request: object, options?: CallOptions) => call(name, request, options),
    ]),
  ) as CriClient;
  return { ...methods, [Symbol.dispose]: () => channel.close() };
}
