import { Agent } from 'node:https';

export interface KubeletCredentials {
  readonly certPem: string;
  readonly keyPem: string;
  readonly caPem: string;
}

/** How the server reaches node agents: with its own client certificate, over kept-alive connections. */
export class KubeletConnection implements Disposable {
  /** For connections outside of the agent's pool. */
  readonly tlsOptions: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly agent: Agent;

  constructor(credentials: KubeletCredentials) {
    this.tlsOptions = { cert: credentials.certPem, key: credentials.keyPem, ca: credentials.caPem };
    this.agent = new Agent({ ...this.tlsOptions, keepAlive: true });
  }

  [Symbol.dispose](): void {
    this.agent.destroy();
  }
}
