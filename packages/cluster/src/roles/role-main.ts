import type { Clock, Logger, MetricsRegistry, Running } from '@ballast/base';
import type { Layout } from '../layout.ts';
import type { RoleSettings } from '../role-settings.ts';

/** What every role's main function is given. */
export interface RoleContext {
  readonly settings: RoleSettings;
  readonly layout: Layout;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
  readonly signal: AbortSignal;
  /** What was started last is stopped first, when the role ends. */
  readonly stack: AsyncDisposableStack;
}

/** Puts the rooms of one process together; resolves, with the parts whose failure ends the role, when all are started. */
export type RoleMain = (context: RoleContext) => Promise<readonly Running[]>;
