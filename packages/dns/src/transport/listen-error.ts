import { BallastError, errnoOf, messageOf } from '@ballast/base';
import type { Protocol } from '../chain/query.ts';
import type { ListenAt } from './transport.ts';

export type ListenErrorCode = 'address-in-use' | 'address-unusable';

/** Says in one sentence why a socket could not be opened and what to do. */
export function listenError(
  error: unknown,
  protocol: Protocol,
  { host, port }: ListenAt,
): BallastError<ListenErrorCode> {
  const where = `${protocol} ${host.includes(':') ? `[${host}]` : host}:${port}`;
  const errno = errnoOf(error);
  if (errno === 'EADDRINUSE') {
    return new BallastError(
      'address-in-use',
      `cannot listen on ${where}: another program does; stop it (ss -lnp | grep :${port}) or choose another port`,
      { cause: error },
    );
  }
  const why =
    errno === 'EACCES'
      ? 'ports below 1024 need root or CAP_NET_BIND_SERVICE'
      : errno === 'EADDRNOTAVAIL'
        ? 'this machine does not have that address'
        : messageOf(error);
  return new BallastError('address-unusable', `cannot listen on ${where}: ${why}`, { cause: error });
}
