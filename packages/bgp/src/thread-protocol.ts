import type { Cidr, Ip } from '@ballast/base';
import type { SessionReport } from './session.ts';
import type { ExportRoute, PeerConfig } from './session-config.ts';

/** What the thread is started with. */
export interface ThreadData {
  readonly listen?: readonly { readonly address: Ip; readonly port: number }[];
}

/** Commands to the thread, in order. */
export type ThreadCommand =
  | { readonly kind: 'configure'; readonly peers: readonly PeerConfig[] }
  | {
      readonly kind: 'update';
      readonly changes: readonly {
        readonly peer: string;
        readonly announce: readonly ExportRoute[];
        readonly withdraw: readonly Cidr[];
      }[];
    }
  | { readonly kind: 'report'; readonly request: number }
  | { readonly kind: 'stop'; readonly handOver: boolean };

/** What the thread posts. */
export type ThreadNews =
  | { readonly kind: 'state'; readonly report: SessionReport }
  | { readonly kind: 'report'; readonly request: number; readonly reports: readonly SessionReport[] }
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly event: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'stopped' };
