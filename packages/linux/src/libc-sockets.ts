/**
 * The socket calls of libc that Node does not offer. File descriptors are plain numbers that the caller closes. Structures are laid out
 * in Buffers in the machine's byte order; koffi pins a Buffer for the length of a synchronous call, which is all these calls need.
 */
import { constants } from 'node:os';
import { BallastError } from '@ballast/base';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

const calls = {
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  close: libc.func('int close(int fd)'),
  bind: libc.func('int bind(int fd, const void *address, uint32_t length)'),
  connect: libc.func('int connect(int fd, const void *address, uint32_t length)'),
  listen: libc.func('int listen(int fd, int backlog)'),
  setsockopt: libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)'),
  getsockopt: libc.func('int getsockopt(int fd, int level, int name, _Inout_ void *value, _Inout_ void *length)'),
  getsockname: libc.func('int getsockname(int fd, _Inout_ void *address, _Inout_ void *length)'),
  poll: libc.func('int poll(_Inout_ void *fds, uint64_t count, int timeout)'),
  recvfrom: libc.func(
    'int64_t recvfrom(int fd, _Inout_ void *buffer, uint64_t length, int flags, _Inout_ void *address, _Inout_ void *addressLength)',
  ),
  recvmsg: libc.func('int64_t recvmsg(int fd, _Inout_ void *message, int flags)'),
  sendto: libc.func(
    'int64_t sendto(int fd, const void *buffer, uint64_t length, int flags, const void *address, uint32_t addressLength)',
  ),
  eventfd: libc.func('int eventfd(uint32_t initial, int flags)'),
  read: libc.func('int64_t read(int fd, _Inout_ void *buffer, uint64_t length)'),
  write: libc.func('int64_t write(int fd, const void *buffer, uint64_t length)'),
  ioctl: libc.func('int ioctl(int fd, uint64_t request, _Inout_ void *argument)'),
  if_nametoindex: libc.func('uint32_t if_nametoindex(const char *name)'),
};

/** A system call that failed; `errno` is its name ('EADDRINUSE', ...). */
export class SystemCallError extends BallastError<'system-call-failed'> {
  readonly errno: string;

  constructor(call: string, errno: string) {
    super('system-call-failed', `${call} failed: ${errno}`);
    this.errno = errno;
  }
}

const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(
  // EAGAIN and EWOULDBLOCK share a number; the first name is kept.
  Object.entries(constants.errno)
    .reverse()
    .map(([name, number]) => [number, name]),
);

/** The name of an errno number, such as 'ECONNREFUSED'. */
export function errnoName(errno: number): string {
  return ERRNO_NAMES.get(errno) ?? `errno ${errno}`;
}

function lastErrno(): string {
  return errnoName(koffi.errno());
}

function check(call: string, result: number): number {
  if (result < 0) throw new SystemCallError(call, lastErrno());
  return result;
}

/** True for the errors that mean 'nothing now'. */
function wouldBlock(errno: string): boolean {
  return errno === 'EAGAIN' || errno === 'EWOULDBLOCK' || errno === 'EINTR';
}

/** Constants of Linux that are the same on x86-64 and arm64. */
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_PACKET = 17;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
export const SOL_SOCKET = 1;
export const POLLIN = 1;
export const POLLOUT = 4;
export const POLLERR = 8;
export const MSG_ERRQUEUE = 0x2000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/** Opens a non-blocking socket that child processes do not inherit. */
export function openSocket(options: {
  readonly domain: number;
  readonly type: number;
  readonly protocol?: number;
}): number {
  const type = options.type | SOCK_CLOEXEC | SOCK_NONBLOCK;
  return check('socket', calls.socket(options.domain, type, options.protocol ?? 0));
}

export function closeFd(fd: number): void {
  calls.close(fd);
}

export function bindSocket(fd: number, address: Uint8Array): void {
  check('bind', calls.bind(fd, address, address.length));
}

export function listenSocket(fd: number, backlog: number): void {
  check('listen', calls.listen(fd, backlog));
}

/** Begins to connect; false while the connection is under way. */
export function connectSocket(fd: number, address: Uint8Array): boolean {
  if (calls.connect(fd, address, address.length) === 0) return true;
  const errno = lastErrno();
  if (errno === 'EINPROGRESS') return false;
  throw new SystemCallError('connect', errno);
}

export function setSocketOption(
  fd: number,
  option: { readonly level: number; readonly name: number; readonly value: Uint8Array | number },
): void {
  const value = typeof option.value === 'number' ? int32(option.value) : option.value;
  check(
    `setsockopt ${option.level}/${option.name}`,
    calls.setsockopt(fd, option.level, option.name, value, value.length),
  );
}

export function getSocketOption(fd: number, option: { readonly level: number; readonly name: number }): number {
  const value = Buffer.alloc(4);
  check('getsockopt', calls.getsockopt(fd, option.level, option.name, value, uint32(4)));
  return readInt(value);
}

/** The bytes of the local sockaddr. */
export function socketName(fd: number): Buffer {
  const address = Buffer.alloc(28);
  const length = uint32(address.length);
  check('getsockname', calls.getsockname(fd, address, length));
  return address.subarray(0, readInt(length));
}

export interface Datagram {
  readonly bytes: Buffer;
  /** The sender's sockaddr. */
  readonly from: Buffer;
}

/** The next datagram or frame, copied; undefined when none waits. `buffer` is scratch space and bounds the size. */
export function receiveFrom(fd: number, buffer: Buffer): Datagram | undefined {
  const address = Buffer.alloc(28);
  const length = uint32(address.length);
  const received: number = calls.recvfrom(fd, buffer, buffer.length, MSG_DONTWAIT, address, length);
  if (received < 0) {
    const errno = lastErrno();
    if (wouldBlock(errno)) return undefined;
    throw new SystemCallError('recvfrom', errno);
  }
  return { bytes: Buffer.from(buffer.subarray(0, received)), from: address.subarray(0, readInt(length)) };
}

/** Takes one entry of the error queue: the address that a datagram went to, and the error it met. Undefined when the queue is empty. */
export function receiveError(fd: number): { readonly to: Buffer; readonly errno: number } | undefined {
  const name = Buffer.alloc(28);
  const control = Buffer.alloc(512);
  const data = Buffer.alloc(64);
  const vector = Buffer.alloc(16);
  const message = Buffer.alloc(56);
  writePointer(vector, 0, data);
  writePointer(vector, 8, BigInt(data.length));
  writePointer(message, 0, name);
  writePointer(message, 8, BigInt(name.length));
  writePointer(message, 16, vector);
  writePointer(message, 24, 1n);
  writePointer(message, 32, control);
  writePointer(message, 40, BigInt(control.length));
  const received: number = calls.recvmsg(fd, message, MSG_ERRQUEUE | MSG_DONTWAIT);
  if (received < 0) return undefined;
  // struct cmsghdr is 16 bytes; struct sock_extended_err starts with its errno.
  return { to: name, errno: readInt(control.subarray(16, 20)) };
}

/** Sends one datagram or frame. False when it could not be sent now; other failures throw. */
export function sendTo(fd: number, bytes: Uint8Array, address: Uint8Array): boolean {
  const sent: number = calls.sendto(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length);
  if (sent >= 0) return true;
  const errno = lastErrno();
  if (wouldBlock(errno) || errno === 'ENOBUFS') return false;
  throw new SystemCallError('sendto', errno);
}

export interface PollEntry {
  readonly fd: number;
  readonly events: number;
}

/** Waits up to `timeoutMs` (-1: for ever) and returns the descriptors that are ready with their events. Blocks the thread. */
export function pollFds(entries: readonly PollEntry[], timeoutMs: number): Map<number, number> {
  const fds = Buffer.alloc(entries.length * 8);
  const view = new DataView(fds.buffer, fds.byteOffset, fds.length);
  for (const [i, { fd, events }] of entries.entries()) {
    view.setInt32(i * 8, fd, LITTLE_ENDIAN);
    view.setInt16(i * 8 + 4, events, LITTLE_ENDIAN);
  }
  const count: number = calls.poll(fds, entries.length, timeoutMs);
  const ready = new Map<number, number>();
  if (count <= 0) return ready;
  for (const [i, { fd }] of entries.entries()) {
    const events = view.getInt16(i * 8 + 6, LITTLE_ENDIAN);
    if (events !== 0) ready.set(fd, events);
  }
  return ready;
}

/** An eventfd: any thread of the process wakes a poll on it by its number. */
export function openWakeFd(): number {
  return check('eventfd', calls.eventfd(0, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

export function wake(fd: number): void {
  const one = Buffer.alloc(8);
  one.writeBigUInt64LE(1n);
  calls.write(fd, one, 8);
}

export function drainWakeFd(fd: number): void {
  calls.read(fd, Buffer.alloc(8), 8);
}

/** The number of an interface, or undefined when there is none of that name. */
export function interfaceIndex(name: string): number | undefined {
  const index: number = calls.if_nametoindex(name);
  return index === 0 ? undefined : index;
}

const SIOCGIFFLAGS = 0x8913;

/** The IFF_ flags of an interface, or undefined when it is gone. */
export function interfaceFlags(name: string): number | undefined {
  const request = Buffer.alloc(40);
  request.write(name.slice(0, 15));
  const fd = openSocket({ domain: AF_INET, type: SOCK_DGRAM });
  try {
    if (calls.ioctl(fd, SIOCGIFFLAGS, request) < 0) return undefined;
    return LITTLE_ENDIAN ? request.readUInt16LE(16) : request.readUInt16BE(16);
  } finally {
    closeFd(fd);
  }
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  new DataView(bytes.buffer, bytes.byteOffset).setInt32(0, value, LITTLE_ENDIAN);
  return bytes;
}

const uint32 = int32;

function readInt(bytes: Buffer): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, LITTLE_ENDIAN);
}

function writePointer(into: Buffer, at: number, value: Buffer | bigint): void {
  const address = typeof value === 'bigint' ? value : koffi.address(value);
  new DataView(into.buffer, into.byteOffset).setBigUint64(at, BigInt(address), LITTLE_ENDIAN);
}
