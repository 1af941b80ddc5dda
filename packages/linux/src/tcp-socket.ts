import type { Ip } from '@ballast/base';
import {
  AF_INET,
  AF_INET6,
  bindSocket,
  closeFd,
  connectSocket,
  getSocketOption,
  listenSocket,
  openSocket,
  POLLERR,
  POLLOUT,
  pollFds,
  SOCK_STREAM,
  SOL_SOCKET,
  setSocketOption,
} from './libc-sockets.ts';
import { composeSocketAddress } from './socket-address.ts';

/** Options of a TCP socket that node:net has no words for. */
export interface TcpOptions {
  readonly ttl?: number;
  /** Interface or VRF device to bind to. */
  readonly device?: string;
  /** MD5 signature keys (RFC 2385), one per peer, at most 80 bytes each. */
  readonly md5Keys?: readonly { readonly peer: Ip; readonly key: string }[];
}

const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_PRIORITY = 12;
const SO_BINDTODEVICE = 25;
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IP_TTL = 2;
const IPPROTO_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_V6ONLY = 26;
const IPV6_TCLASS = 67;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_MD5SIG = 14;
const MAX_MD5_KEY_BYTES = 80;
const SOCKADDR_STORAGE_BYTES = 128;
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Begins a TCP connection; wait for it with `connectionState`, then hand the descriptor to net.Socket. */
export function beginTcpConnection(
  options: TcpOptions & { readonly peer: Ip; readonly port: number; readonly source?: Ip; readonly scopeId?: number },
): number {
  const fd = openTcpSocket(options.peer.family, options);
  try {
    if (options.source) bindSocket(fd, composeSocketAddress({ ip: options.source, port: 0 }));
    const scope = options.scopeId === undefined ? {} : { scopeId: options.scopeId };
    connectSocket(fd, composeSocketAddress({ ip: options.peer, port: options.port, ...scope }));
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** How a connection that was begun stands: an errno number when it failed. Does not block. */
export function connectionState(fd: number): 'connecting' | 'connected' | { readonly errno: number } {
  const events = pollFds([{ fd, events: POLLOUT }], 0).get(fd) ?? 0;
  if (events === 0) return 'connecting';
  const errno = getSocketOption(fd, { level: SOL_SOCKET, name: SO_ERROR });
  if (errno !== 0) return { errno };
  return (events & POLLERR) !== 0 ? { errno: 111 } : 'connected';
}

/** A listening socket whose descriptor goes to `server.listen({ fd })`. */
export function openTcpListener(options: TcpOptions & { readonly address: Ip; readonly port: number }): number {
  const fd = openTcpSocket(options.address.family, options);
  try {
    setSocketOption(fd, { level: SOL_SOCKET, name: SO_REUSEADDR, value: 1 });
    if (options.address.family === 6) setSocketOption(fd, { level: IPPROTO_IPV6, name: IPV6_V6ONLY, value: 1 });
    bindSocket(fd, composeSocketAddress({ ip: options.address, port: options.port }));
    listenSocket(fd, 16);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** Internet Control (CS6), as routing protocols mark their packets. */
const DSCP_CS6 = 0xc0;

function openTcpSocket(family: 4 | 6, options: TcpOptions): number {
  const fd = openSocket({ domain: family === 4 ? AF_INET : AF_INET6, type: SOCK_STREAM });
  try {
    const [level, ttlName, tosName] =
      family === 4 ? [IPPROTO_IP, IP_TTL, IP_TOS] : [IPPROTO_IPV6, IPV6_UNICAST_HOPS, IPV6_TCLASS];
    if (options.ttl !== undefined) setSocketOption(fd, { level, name: ttlName, value: options.ttl });
    setSocketOption(fd, { level, name: tosName, value: DSCP_CS6 });
    setSocketOption(fd, { level: SOL_SOCKET, name: SO_PRIORITY, value: 6 });
    setSocketOption(fd, { level: IPPROTO_TCP, name: TCP_NODELAY, value: 1 });
    if (options.device !== undefined) {
      setSocketOption(fd, { level: SOL_SOCKET, name: SO_BINDTODEVICE, value: Buffer.from(`${options.device}\0`) });
    }
    for (const md5 of options.md5Keys ?? []) setMd5Key(fd, md5);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** struct tcp_md5sig: sockaddr_storage, flags, prefix length, key length, interface, key. An empty key removes the one of the peer. */
export function setMd5Key(fd: number, md5: { readonly peer: Ip; readonly key: string }): void {
  const key = Buffer.from(md5.key);
  if (key.length > MAX_MD5_KEY_BYTES) throw new RangeError(`a TCP MD5 key has at most ${MAX_MD5_KEY_BYTES} bytes`);
  const request = Buffer.alloc(SOCKADDR_STORAGE_BYTES + 8 + MAX_MD5_KEY_BYTES);
  request.set(composeSocketAddress({ ip: md5.peer, port: 0 }));
  new DataView(request.buffer, request.byteOffset).setUint16(SOCKADDR_STORAGE_BYTES + 2, key.length, LITTLE_ENDIAN);
  request.set(key, SOCKADDR_STORAGE_BYTES + 8);
  setSocketOption(fd, { level: IPPROTO_TCP, name: TCP_MD5SIG, value: request });
}
