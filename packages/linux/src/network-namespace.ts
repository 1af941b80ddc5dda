import { closeSync, openSync } from 'node:fs';
import { BallastError } from '@ballast/base';
import koffi from 'koffi';

const CLONE_NEWNET = 0x4000_0000;

/**
 * Moves the calling thread into the network namespace at `path`, for example /proc/PID/ns/net (setns(2)). Sockets that exist keep the
 * namespace they were made in; those made afterwards on this thread, which for node:net is the main one, belong to the new. Needs
 * CAP_SYS_ADMIN. There is no way back short of opening the old namespace first: meant for small processes with one purpose.
 */
export function enterNetworkNamespace(path: string): void {
  const libc = koffi.load('libc.so.6');
  const setns = libc.func('int setns(int fd, int nstype)');
  const fd = openSync(path, 'r');
  try {
    if (Number(setns(fd, CLONE_NEWNET)) !== 0) {
      const { EPERM } = koffi.os.errno;
      const why = koffi.errno() === EPERM ? 'not permitted (root?)' : `errno ${koffi.errno()}`;
      throw new BallastError('namespace-refused', `cannot enter the network namespace ${path}: ${why}`);
    }
  } finally {
    closeSync(fd);
  }
}

/** Runs `body`, which must not wait, with the calling thread in the network namespace at `path`, and comes back. */
export function inNetworkNamespace<T>(path: string, body: () => T): T {
  const setns = koffi.load('libc.so.6').func('int setns(int fd, int nstype)');
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    enterNetworkNamespace(path);
    return body();
  } finally {
    const failed = Number(setns(home, CLONE_NEWNET)) !== 0;
    closeSync(home);
    // Going on in a foreign namespace would be worse than anything.
    if (failed) process.abort();
  }
}
