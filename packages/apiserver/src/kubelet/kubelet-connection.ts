import { Agent } from 'node:https';

export interface KubeletCredentials {
  readonly certPem: string;
  readonly keyPem: string;
  readonly caPem: string;
}

/** How the server reaches node agents: with its own client certificate, over kept-alive connections. */
export class KubeletConnection implements Disposable {
  readonly credentials: KubeletCredentials;
  readonly agent: Agent;

  constructor(credentials: KubeletCredentials) {
    this.credentials = credentials;
    this.agent = new Agent({
      cert: credentials.certPem,
      key: credentials.keyPem,
      ca: credentials.caPem,
      keepAlive: true,
    });
  }

  [Symbol.dispose](): void {
    this.agent.destroy();
  }
}
