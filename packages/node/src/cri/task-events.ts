import type { Clock } from '@ballast/base';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { encodeMessage, message } from './protobuf.ts';

const SubscribeRequest = message({ filters: [1, 'repeated', 'string'] });

/**
 * Tells of containers that ended, from containerd's own event stream: CRI of containerd 1.6 has none, and asking once a second is late. The
 * events say only that something happened. Other runtimes do not serve it; then polling has to do.
 */
export function watchTaskEvents(options: { socketPath: string; clock: Clock; onEvent: () => void }): Disposable {
  const channel = new Client(`unix://${options.socketPath}`, credentials.createInsecure(), {
    'grpc.default_authority': 'localhost',
  });
  let stopped = false;
  let retry: Disposable | undefined;
  let cancel = () => {};
  const subscribe = () => {
    const metadata = new Metadata();
    metadata.set('containerd-namespace', 'k8s.io');
    const stream = channel.makeServerStreamRequest<object, object>(
      '/containerd.services.events.v1.Events/Subscribe',
      (value) => encodeMessage(SubscribeRequest, value),
      () => ({}),
      { filters: ['topic=="/tasks/exit"', 'topic=="/tasks/oom"'] },
      metadata,
    );
    cancel = () => stream.cancel();
    stream.on('data', options.onEvent);
    stream.on('error', () => {});
    stream.on('close', () => {
      if (!stopped) retry = options.clock.timer(2000, subscribe);
    });
  };
  subscribe();
  return {
    [Symbol.dispose]() {
      stopped = true;
      retry?.[Symbol.dispose]();
      cancel();
      channel.close();
    },
  };
}
