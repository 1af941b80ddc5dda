import { formatIp, type Ip } from '@ballast/base';
import {
  AF_INET,
  AF_INET6,
  bindSocket,
  closeFd,
  composeSocketAddress,
  openSocket,
  parseSocketAddress,
  receiveFrom,
  SOCK_RAW,
  SystemCallError,
  sendTo,
} from '@ballast/linux';
import { composeEcho, parseEcho } from './echo-codec.ts';

const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const MAX_PACKETS_PER_ROUND = 256;

/** Asks kernels of other nodes whether they are there, when their speakers are silent. */
export class EchoSocket implements Disposable {
  readonly fd: number;
  readonly #family: 4 | 6;
  readonly #identifier: number;
  readonly #scratch = Buffer.alloc(512);
  #sequence = 0;

  constructor(options: { readonly address: Ip; readonly identifier: number }) {
    const { family } = options.address;
    this.#family = family;
    this.#identifier = options.identifier & 0xffff;
    this.fd = openSocket({
      domain: family === 4 ? AF_INET : AF_INET6,
      type: SOCK_RAW,
      protocol: family === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
    });
    try {
      bindSocket(this.fd, composeSocketAddress({ ip: options.address, port: 0 }));
    } catch (error) {
      closeFd(this.fd);
      throw error;
    }
  }

  ask(host: Ip): void {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const bytes = composeEcho(
      { kind: 'request', identifier: this.#identifier, sequence: this.#sequence },
      this.#family,
    );
    try {
      sendTo(this.fd, bytes, composeSocketAddress({ ip: host, port: 0 }));
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
    }
  }

  /** Hosts that answered since the last call. */
  answers(): string[] {
    const hosts = new Set<string>();
    for (let count = 0; count < MAX_PACKETS_PER_ROUND; count++) {
      let packet: ReturnType<typeof receiveFrom>;
      try {
        packet = receiveFrom(this.fd, this.#scratch);
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        continue;
      }
      if (!packet) break;
      const echo = parseEcho(packet.bytes, this.#family);
      const from = parseSocketAddress(packet.from);
      if (echo?.kind === 'reply' && echo.identifier === this.#identifier && from) hosts.add(formatIp(from.ip));
    }
    return [...hosts];
  }

  [Symbol.dispose](): void {
    closeFd(this.fd);
  }
}
